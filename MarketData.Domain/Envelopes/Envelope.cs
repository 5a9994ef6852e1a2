using System.Text.Json;
using System.Text.Unicode;
using MarketData.Domain.Channels;
using MarketData.Domain.Frames;

namespace MarketData.Domain.Envelopes;

/// <summary>
/// The fields of an envelope around a frame: the same bytes are the Kafka value, the Redis message and the client frame. Ranges point
/// into the bytes that it was read from.
/// </summary>
public readonly struct Envelope
{
    /// <summary>The exchange's frame, byte for byte.</summary>
    public ByteRange Payload { get; private init; }

    public MarketChannel Channel { get; private init; }

    /// <summary>The channel's own text.</summary>
    public ByteRange ChannelName { get; private init; }

    /// <summary>Empty when the frame belongs to no market.</summary>
    public ByteRange Ticker { get; private init; }

    /// <summary>The exchange's sequence number; it has holes for each market, since it counts over a subscription.</summary>
    public long? Sequence { get; private init; }

    /// <summary>Counts 1, 2, 3 … without holes for each market and stream; 0 when the envelope carries none.</summary>
    public long StreamSequence { get; private init; }

    /// <summary>When the count of <see cref="StreamSequence"/> began, Unix milliseconds; a later epoch begins again at 1.</summary>
    public long StreamEpoch { get; private init; }

    /// <summary>
    /// The term of the leader of ingest that wrote it; 0 when it carries none. In a partition of the log, a lower one than stood before it
    /// is what a replaced leader wrote, and void.
    /// </summary>
    public long Term { get; private init; }

    /// <summary>Unix milliseconds at which the frame was received from the exchange.</summary>
    public long ReceivedTimestamp { get; private init; }

    /// <summary>
    /// A snapshot that is only the last known book: something was lost, and until the next snapshot without this nobody knows what the
    /// exchange's book is.
    /// </summary>
    public bool IsStale { get; private init; }

    /// <summary>The position within the stream: a later epoch counts more than any number of an earlier one.</summary>
    public StreamPosition Position => new(StreamEpoch, StreamSequence);

    /// <summary>
    /// Reads an envelope; false when the bytes are not one JSON object in UTF-8 with a payload and plain names, with the reason in
    /// <paramref name="error"/>. The payload itself is not looked into.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out Envelope envelope, out string? error)
    {
        envelope = default;
        try
        {
            if (!Utf8.IsValid(bytes)) throw new JsonException("an envelope is UTF-8 text");
            var reader = new Utf8JsonReader(bytes);
            ByteRange payload = default, channel = default, ticker = default;
            long? sequence = null;
            long streamSequence = 0, streamEpoch = 0, received = 0, term = 0;
            bool isStale = false;
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new JsonException("an envelope is a JSON object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var key = reader.ValueSpan;
                if (key.SequenceEqual("payload"u8)) payload = Value(ref reader);
                else if (key.SequenceEqual("channel"u8)) channel = PlainText(ref reader, "channel");
                else if (key.SequenceEqual("marketTicker"u8)) ticker = PlainText(ref reader, "market ticker");
                else if (key.SequenceEqual("sequence"u8)) sequence = Integer(ref reader);
                else if (key.SequenceEqual("streamSequence"u8)) streamSequence = Integer(ref reader) ?? 0;
                else if (key.SequenceEqual("streamEpoch"u8)) streamEpoch = Integer(ref reader) ?? 0;
                else if (key.SequenceEqual("term"u8)) term = Integer(ref reader) ?? 0;
                else if (key.SequenceEqual("receivedTimestamp"u8)) received = Integer(ref reader) ?? 0;
                else if (key.SequenceEqual("stale"u8)) isStale = Flag(ref reader);
                else Value(ref reader);
            }

            if (reader.Read()) throw new JsonException("an envelope is one JSON object");
            if (payload.IsEmpty || channel.IsEmpty) throw new JsonException("an envelope has a payload and a channel");
            envelope = new Envelope
            {
                Payload = payload,
                Channel = MarketChannels.Parse(channel.Of(bytes)),
                ChannelName = channel,
                Ticker = ticker,
                Sequence = sequence,
                StreamSequence = streamSequence,
                StreamEpoch = streamEpoch,
                Term = term,
                ReceivedTimestamp = received,
                IsStale = isStale,
            };
            error = null;
            return true;
        }
        catch (JsonException exception)
        {
            error = exception.Message;
            return false;
        }
    }

    private static ByteRange Value(ref Utf8JsonReader reader)
    {
        reader.Read();
        int start = (int)reader.TokenStartIndex;
        reader.Skip();
        return new ByteRange(start, (int)reader.BytesConsumed - start);
    }

    private static ByteRange PlainText(ref Utf8JsonReader reader, string what)
    {
        var value = Value(ref reader);
        if (reader.TokenType != JsonTokenType.String) return default;
        if (!PlainName.IsValid(reader.ValueSpan)) throw new JsonException($"a {what} {PlainName.Rule}");
        return new ByteRange(value.Start + 1, value.Length - 2);
    }

    private static bool Flag(ref Utf8JsonReader reader)
    {
        Value(ref reader);
        return reader.TokenType == JsonTokenType.True;
    }

    private static long? Integer(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long value)) return value;
        reader.Skip();
        return null;
    }
}

/// <summary>A place in a stream, ordered by epoch, then by number.</summary>
/// <param name="Epoch">Unix milliseconds.</param>
/// <param name="Sequence">From 1; 0 is before the first.</param>
public readonly record struct StreamPosition(long Epoch, long Sequence) : IComparable<StreamPosition>
{
    public StreamPosition Next => this with { Sequence = Sequence + 1 };

    // The generated text would show Next, which shows its own Next, without end.
    public override string ToString() => $"{Epoch}/{Sequence}";

    public int CompareTo(StreamPosition other) => Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Sequence.CompareTo(other.Sequence);

    public static bool operator <(StreamPosition left, StreamPosition right) => left.CompareTo(right) < 0;

    public static bool operator >(StreamPosition left, StreamPosition right) => left.CompareTo(right) > 0;

    public static bool operator <=(StreamPosition left, StreamPosition right) => left.CompareTo(right) <= 0;

    public static bool operator >=(StreamPosition left, StreamPosition right) => left.CompareTo(right) >= 0;
}
