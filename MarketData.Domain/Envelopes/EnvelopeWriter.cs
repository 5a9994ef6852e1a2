using System.Buffers.Text;

namespace MarketData.Domain.Envelopes;

/// <summary>
/// Builds envelopes by concatenation, so that the payload keeps every byte. Reuses one buffer: not thread-safe, and a result is valid
/// until the next call.
/// </summary>
public sealed class EnvelopeWriter
{
    // More than the names of the fields and six numbers of 20 digits take.
    private const int FixedLength = 512;

    private byte[] _buffer = new byte[4096];
    private int _length;

    /// <summary>The term of the leader of ingest that writes; 0 leaves the field out.</summary>
    public long Term { get; set; }

    /// <summary>Writes an envelope.</summary>
    /// <param name="payload">The exchange's frame: one JSON value.</param>
    /// <param name="channel">The channel's name, plain text.</param>
    /// <param name="ticker">The market, plain text; empty writes null.</param>
    /// <param name="sequence">The exchange's sequence number, or null.</param>
    /// <param name="position">The number in the market's stream.</param>
    /// <param name="receivedTimestamp">Unix milliseconds, taken before parsing.</param>
    /// <param name="publishedTimestamp">Unix milliseconds.</param>
    /// <param name="isStale">Whether a snapshot is only the last known book, after a loss.</param>
    /// <param name="source">Where the payload is from, plain text; empty writes <c>kalshi-websocket</c>.</param>
    /// <param name="traceparent">A W3C trace context of a sampled message, plain text; empty leaves the field out.</param>
    public ReadOnlyMemory<byte> Write(
        ReadOnlySpan<byte> payload,
        ReadOnlySpan<byte> channel,
        ReadOnlySpan<byte> ticker,
        long? sequence,
        StreamPosition position,
        long receivedTimestamp,
        long publishedTimestamp,
        bool isStale = false,
        ReadOnlySpan<byte> source = default,
        ReadOnlySpan<byte> traceparent = default)
    {
        // One look at the capacity, then plain copies: this runs for every frame.
        int capacity = FixedLength + payload.Length + channel.Length + ticker.Length + source.Length + traceparent.Length;
        if (_buffer.Length < capacity) _buffer = new byte[Math.Max(capacity, 2 * _buffer.Length)];
        _length = 0;

        Append("{\"payload\":"u8);
        Append(payload);
        Append(",\"receivedTimestamp\":"u8);
        Append(receivedTimestamp);
        Append(",\"publishedTimestamp\":"u8);
        Append(publishedTimestamp);
        Append(",\"channel\":\""u8);
        Append(channel);
        if (ticker.IsEmpty)
        {
            Append("\",\"marketTicker\":null"u8);
        }
        else
        {
            Append("\",\"marketTicker\":\""u8);
            Append(ticker);
            Append("\""u8);
        }

        Append(",\"sequence\":"u8);
        if (sequence is { } number) Append(number);
        else Append("null"u8);
        Append(",\"source\":\""u8);
        Append(source.IsEmpty ? "kalshi-websocket"u8 : source);
        Append("\",\"version\":1,\"streamSequence\":"u8);
        Append(position.Sequence);
        Append(",\"streamEpoch\":"u8);
        Append(position.Epoch);
        if (Term > 0)
        {
            Append(",\"term\":"u8);
            Append(Term);
        }

        if (isStale) Append(",\"stale\":true"u8);
        if (!traceparent.IsEmpty)
        {
            Append(",\"traceparent\":\""u8);
            Append(traceparent);
            Append("\""u8);
        }

        Append("}"u8);
        return _buffer.AsMemory(0, _length);
    }

    private void Append(ReadOnlySpan<byte> text)
    {
        text.CopyTo(_buffer.AsSpan(_length));
        _length += text.Length;
    }

    private void Append(long value)
    {
        Utf8Formatter.TryFormat(value, _buffer.AsSpan(_length), out int written);
        _length += written;
    }
}
