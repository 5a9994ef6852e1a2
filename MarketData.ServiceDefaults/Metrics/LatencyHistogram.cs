using System.Numerics;

namespace MarketData.ServiceDefaults.Metrics;

/// <summary>
/// Counts durations in buckets that grow with them, so that any percentile is known within 1/16 of its value. Recording neither locks nor
/// allocates. Thread-safe.
/// </summary>
public sealed class LatencyHistogram
{
    // Durations below 16 µs have a bucket each; above, every doubling has 16. The last bucket begins beyond an hour.
    private const int SubBuckets = 16, SubBucketBits = 4, Doublings = 28;
    private readonly long[] _counts = new long[SubBuckets * (Doublings + 1)];

    /// <summary>Durations recorded so far.</summary>
    public long Count
    {
        get
        {
            long count = 0;
            for (int i = 0; i < _counts.Length; i++) count += Interlocked.Read(ref _counts[i]);
            return count;
        }
    }

    /// <summary>Counts a duration; one below zero, which a clock set back makes, counts as zero.</summary>
    public void Record(TimeSpan duration) => Interlocked.Increment(ref _counts[BucketOf((long)duration.TotalMicroseconds)]);

    /// <summary>The duration that this share of all does not exceed, in milliseconds; 0 before the first.</summary>
    /// <param name="share">Above 0, at most 1.</param>
    public double PercentileMs(double share)
    {
        long rank = (long)Math.Ceiling(Count * share);
        long seen = 0;
        for (int i = 0; i < _counts.Length && rank > 0; i++)
        {
            seen += Interlocked.Read(ref _counts[i]);
            if (seen >= rank) return UpperMicrosecondsOf(i) / 1000.0;
        }

        return 0;
    }

    public LatencyReport Report() => new(Count, PercentileMs(0.5), PercentileMs(0.99), PercentileMs(0.999));

    private static int BucketOf(long microseconds)
    {
        if (microseconds < SubBuckets) return (int)Math.Max(microseconds, 0);
        int doubling = BitOperations.Log2((ulong)microseconds) - SubBucketBits;
        if (doubling >= Doublings) return SubBuckets * (Doublings + 1) - 1;
        return SubBuckets * (doubling + 1) + (int)(microseconds >> doubling) - SubBuckets;
    }

    private static long UpperMicrosecondsOf(int bucket)
    {
        if (bucket < SubBuckets) return bucket;
        int doubling = bucket / SubBuckets - 1;
        return ((long)(bucket % SubBuckets + SubBuckets + 1) << doubling) - 1;
    }
}

/// <summary>Percentiles in milliseconds.</summary>
public sealed record LatencyReport(long Count, double P50, double P99, double P999);
