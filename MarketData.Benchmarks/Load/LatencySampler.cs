using System.Buffers.Text;
using MarketData.ServiceDefaults.Metrics;

namespace MarketData.Benchmarks.Load;

/// <summary>Looks into one message of many for the time at which it was published. Not thread-safe.</summary>
/// <param name="every">How many messages it looks into one of.</param>
internal sealed class LatencySampler(int every)
{
    // Microseconds, in messages of the load's own publisher; those of ingest have milliseconds.
    private static ReadOnlySpan<byte> Microseconds => "\"us\":"u8;

    private static ReadOnlySpan<byte> Milliseconds => "\"publishedTimestamp\":"u8;

    private int _untilNext = 1;
    private long _now;

    /// <summary>Counts them, of all clients together; null while they do not count.</summary>
    public LatencyHistogram? Latencies { get; set; }

    /// <summary>What is taken from here on was read now.</summary>
    public void Now() => _now = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <param name="message">Empty when it did not come in one read; the next one is looked at instead.</param>
    public void Take(ReadOnlySpan<byte> message)
    {
        if (--_untilNext > 0 || Latencies == null || message.IsEmpty) return;
        _untilNext = every;
        if (TryFind(message, Microseconds, out long sent)) Latencies.Record(TimeSpan.FromMicroseconds(_now - sent));
        else if (TryFind(message, Milliseconds, out sent)) Latencies.Record(TimeSpan.FromMicroseconds(_now - (sent * 1000)));
    }

    private static bool TryFind(ReadOnlySpan<byte> message, ReadOnlySpan<byte> name, out long value)
    {
        int at = message.IndexOf(name);
        value = 0;
        return at >= 0 && Utf8Parser.TryParse(message[(at + name.Length)..], out value, out _);
    }
}
