using MarketData.Benchmarks.Load;

namespace MarketData.Tests.Unit.Benchmarks;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Quantiles_are_within_two_percent()
    {
        var histogram = new LatencyHistogram();
        for (int i = 1; i <= 100_000; i++) histogram.Add(i * 10);

        Assert.All([0.001, 0.5, 0.99, 0.999], share => Assert.InRange(histogram.Quantile(share) / (share * 1_000_000), 0.98, 1.02));
        Assert.Equal((1_000_000, 1_000_000, 100_000), (histogram.Quantile(1), histogram.Max, histogram.Count));
    }

    [Fact]
    public void Two_together_hold_what_both_hold()
    {
        var (one, other) = (new LatencyHistogram(), new LatencyHistogram());
        one.Add(5);
        other.Add(-3);
        other.Add(700);

        one.Add(other);

        Assert.Equal((3, 0, 5, 700), (one.Count, one.Quantile(0.3), one.Quantile(0.5), one.Quantile(1)));
    }

    [Fact]
    public void Nothing_has_quantiles_of_zero() => Assert.Equal(0, new LatencyHistogram().Quantile(0.99));
}
