using MarketData.Gateway.Admission;
using MarketData.Tests.Unit.Ingest;

namespace MarketData.Tests.Unit.Gateway;

public sealed class InboundRateTests
{
    private const int PerSecond = 5, Burst = 10 * PerSecond;
    private readonly ManualTime _time = new();

    [Fact]
    public void A_burst_passes_as_much_again_is_refused_and_then_it_is_over()
    {
        var rate = new InboundRate(PerSecond, _time);

        Assert.All(Take(rate, Burst), verdict => Assert.Equal(InboundVerdict.Accept, verdict));
        Assert.All(Take(rate, Burst), verdict => Assert.Equal(InboundVerdict.Refuse, verdict));
        Assert.Equal(InboundVerdict.Close, rate.Take());
    }

    [Fact]
    public void The_steady_rate_passes_for_ever()
    {
        var rate = new InboundRate(PerSecond, _time);
        Take(rate, Burst);

        for (int second = 0; second < 100; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.All(Take(rate, PerSecond), verdict => Assert.Equal(InboundVerdict.Accept, verdict));
        }

        Assert.Equal(InboundVerdict.Refuse, rate.Take());
    }

    [Fact]
    public void A_pause_earns_one_burst_and_no_more()
    {
        var rate = new InboundRate(PerSecond, _time);
        Take(rate, 2 * Burst);
        _time.Advance(TimeSpan.FromHours(1));

        Assert.All(Take(rate, Burst), verdict => Assert.Equal(InboundVerdict.Accept, verdict));
        Assert.Equal(InboundVerdict.Refuse, rate.Take());
    }

    [Fact]
    public void A_little_too_much_is_closed_only_when_it_goes_on()
    {
        var rate = new InboundRate(PerSecond, _time);
        int seconds = 0;

        for (var verdict = InboundVerdict.Accept; verdict != InboundVerdict.Close; seconds++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            verdict = Take(rate, PerSecond + 1)[^1];
        }

        // One too many each second: a burst of them passes, another is refused.
        Assert.InRange(seconds, 2 * Burst - PerSecond, 2 * Burst);
    }

    private static List<InboundVerdict> Take(InboundRate rate, int messages) => [.. Enumerable.Range(0, messages).Select(_ => rate.Take())];
}
