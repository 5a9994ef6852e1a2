using System.Numerics;

namespace MarketData.Benchmarks.Load;

/// <summary>
/// Latencies in microseconds, 64 buckets for each power of two: every quantile is within 1.6 %, from 1 µs to hours. Not thread-safe.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int Bits = 6, PerOctave = 1 << Bits, Octaves = 32;

    private readonly long[] _counts = new long[PerOctave * Octaves];

    public long Count { get; private set; }

    /// <summary>Microseconds.</summary>
    public long Max { get; private set; }

    /// <param name="microseconds">Below zero counts as zero: the clock was set back.</param>
    public void Add(long microseconds)
    {
        microseconds = Math.Max(0, microseconds);
        _counts[Math.Min(BucketOf(microseconds), _counts.Length - 1)]++;
        Count++;
        Max = Math.Max(Max, microseconds);
    }

    public void Add(LatencyHistogram other)
    {
        for (int i = 0; i < _counts.Length; i++) _counts[i] += other._counts[i];
        Count += other.Count;
        Max = Math.Max(Max, other.Max);
    }

    /// <summary>What this share of the latencies does not exceed, in microseconds; 0 when there are none.</summary>
    public long Quantile(double share)
    {
        long wanted = (long)Math.Ceiling(share * Count), seen = 0;
        for (int i = 0; i < _counts.Length && Count > 0; i++)
        {
            seen += _counts[i];
            if (seen >= wanted && seen > 0) return Math.Min(Max, TopOf(i));
        }

        return Max;
    }

    private static int BucketOf(long value)
    {
        if (value < PerOctave) return (int)value;
        int exponent = BitOperations.Log2((ulong)value);
        return ((exponent - Bits + 1) << Bits) + (int)((value >> (exponent - Bits)) & (PerOctave - 1));
    }

    private static long TopOf(int bucket)
    {
        if (bucket < PerOctave) return bucket;
        int exponent = (bucket >> Bits) + Bits - 1;
        return (1L << exponent) + ((long)((bucket & (PerOctave - 1)) + 1) << (exponent - Bits)) - 1;
    }
}
