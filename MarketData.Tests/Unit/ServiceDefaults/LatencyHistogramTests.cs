using MarketData.ServiceDefaults.Metrics;

namespace MarketData.Tests.Unit.ServiceDefaults;

public sealed class LatencyHistogramTests
{
    private readonly LatencyHistogram _histogram = new();

    [Fact]
    public void Nothing_recorded_is_zero() => Assert.Equal((0, 0), (_histogram.Count, _histogram.PercentileMs(0.99)));

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(1_000)]
    [InlineData(123_456)]
    [InlineData(3_600_000_000)]
    public void A_duration_is_known_within_a_sixteenth(long microseconds)
    {
        _histogram.Record(TimeSpan.FromMicroseconds(microseconds));
        Assert.InRange(_histogram.PercentileMs(0.5), microseconds / 1000.0, microseconds / 1000.0 * 17 / 16);
    }

    [Fact]
    public void Percentiles_are_those_of_a_sorted_list()
    {
        var durations = Enumerable.Range(1, 1000).Select(number => number * 100L).ToArray();
        new Random(5).Shuffle(durations);
        foreach (long duration in durations) _histogram.Record(TimeSpan.FromMicroseconds(duration));
        Assert.Equal(1000, _histogram.Count);
        foreach (double share in (double[])[0.001, 0.5, 0.9, 0.99, 0.999, 1])
            Assert.InRange(_histogram.PercentileMs(share), share * 100, share * 100 * 17 / 16);
    }

    [Fact]
    public void What_a_clock_set_back_makes_counts_as_zero_and_what_takes_for_ever_as_the_most()
    {
        _histogram.Record(TimeSpan.FromSeconds(-1));
        Assert.Equal(0, _histogram.PercentileMs(1));
        _histogram.Record(TimeSpan.MaxValue);
        Assert.True(_histogram.PercentileMs(1) > TimeSpan.FromHours(1).TotalMilliseconds);
    }
}
