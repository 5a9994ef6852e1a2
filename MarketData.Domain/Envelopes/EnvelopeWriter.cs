using System.Buffers;
using System.Buffers.Text;

namespace MarketData.Domain.Envelopes;

/// <summary>
/// Builds envelopes by concatenation, so that the payload keeps every byte. Reuses one buffer: not thread-safe, and a result is valid
/// until the next call.
/// </summary>
public sealed class EnvelopeWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);

    /// <summary>Writes an envelope.</summary>
    /// <param name="payload">The exchange's frame: one JSON value.</param>
    /// <param name="channel">The channel's name, plain text.</param>
    /// <param name="ticker">The market, plain text; empty writes null.</param>
    /// <param name="sequence">The exchange's sequence number, or null.</param>
    /// <param name="position">The number in the market's stream.</param>
    /// <param name="receivedTimestamp">Unix milliseconds, taken before parsing.</param>
    /// <param name="publishedTimestamp">Unix milliseconds.</param>
    /// <param name="traceparent">A W3C trace context of a sampled message, plain text; empty leaves the field out.</param>
    public ReadOnlyMemory<byte> Write(
        ReadOnlySpan<byte> payload,
        ReadOnlySpan<byte> channel,
        ReadOnlySpan<byte> ticker,
        long? sequence,
        StreamPosition position,
        long receivedTimestamp,
        long publishedTimestamp,
        ReadOnlySpan<byte> traceparent = default)
    {
        _buffer.ResetWrittenCount();
        _buffer.Write("{\"payload\":"u8);
        _buffer.Write(payload);
        _buffer.Write(",\"receivedTimestamp\":"u8);
        WriteNumber(receivedTimestamp);
        _buffer.Write(",\"publishedTimestamp\":"u8);
        WriteNumber(publishedTimestamp);
        _buffer.Write(",\"channel\":\""u8);
        _buffer.Write(channel);
        if (ticker.IsEmpty)
        {
            _buffer.Write("\",\"marketTicker\":null"u8);
        }
        else
        {
            _buffer.Write("\",\"marketTicker\":\""u8);
            _buffer.Write(ticker);
            _buffer.Write("\""u8);
        }

        _buffer.Write(",\"sequence\":"u8);
        if (sequence is { } number) WriteNumber(number);
        else _buffer.Write("null"u8);
        _buffer.Write(",\"source\":\"kalshi-websocket\",\"version\":1,\"streamSequence\":"u8);
        WriteNumber(position.Sequence);
        _buffer.Write(",\"streamEpoch\":"u8);
        WriteNumber(position.Epoch);
        if (!traceparent.IsEmpty)
        {
            _buffer.Write(",\"traceparent\":\""u8);
            _buffer.Write(traceparent);
            _buffer.Write("\""u8);
        }

        _buffer.Write("}"u8);
        return _buffer.WrittenMemory;
    }

    private void WriteNumber(long value)
    {
        Utf8Formatter.TryFormat(value, _buffer.GetSpan(20), out int written);
        _buffer.Advance(written);
    }
}
