using MarketData.Ingest.Upstream;

namespace MarketData.Tests.Unit.Ingest;

public sealed class ReconnectBackoffTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Waits_stay_below_a_bound_that_doubles_from_half_a_second_to_thirty()
    {
        var backoff = new ReconnectBackoff(_time);
        foreach (double bound in (double[])[0.5, 1, 2, 4, 8, 16, 30, 30, 30])
            Assert.InRange(backoff.Next(closedInOrder: false).TotalSeconds, 0, bound);
    }

    [Fact]
    public void Waits_have_jitter()
    {
        var waits = Enumerable.Range(0, 20).Select(_ => new ReconnectBackoff(_time).Next(closedInOrder: false));
        Assert.True(waits.Distinct().Count() > 10);
    }

    [Fact]
    public void A_close_in_order_is_followed_at_once_unless_connections_keep_ending()
    {
        var backoff = new ReconnectBackoff(_time);
        backoff.Connected();
        Assert.Equal(TimeSpan.Zero, backoff.Next(closedInOrder: true));
        var later = new List<TimeSpan>();
        for (int i = 0; i < 20; i++)
        {
            backoff.Connected();
            later.Add(backoff.Next(closedInOrder: true));
        }

        Assert.Contains(later, wait => wait > TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_minute_of_health_starts_again()
    {
        var backoff = new ReconnectBackoff(_time);
        for (int i = 0; i < 10; i++) backoff.Next(closedInOrder: false);
        backoff.Connected();
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(TimeSpan.Zero, backoff.Next(closedInOrder: true));
    }
}
