using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Domain.Frames;

namespace MarketData.Domain.Books;

/// <summary>What an envelope did to a book.</summary>
public enum BookOutcome : byte
{
    Applied,

    /// <summary>At or before the book's position: already in it.</summary>
    Duplicate,

    /// <summary>A delta that does not follow on the book's position: something is missing between.</summary>
    Gap,

    /// <summary>
    /// The frame is unreadable, not what the envelope says, without a number, or takes a level below zero; the book has no base any more.
    /// </summary>
    Invalid,
}

/// <summary>
/// A market's book as every consumer of envelopes rebuilds it: a snapshot sets it, the delta with the next number changes it, anything
/// else is a duplicate or a gap. Not thread-safe.
/// </summary>
public sealed class SequencedBook
{
    private byte[] _marketId = [];

    public OrderBook Book { get; } = new();

    /// <summary>False until the first snapshot, and after an invalid frame.</summary>
    public bool HasBase { get; private set; }

    /// <summary>Whether the book is only the last known one, after a loss: the next snapshot tells what it is.</summary>
    public bool IsStale { get; private set; }

    /// <summary>The last number in the book.</summary>
    public StreamPosition Position { get; private set; }

    /// <summary>The exchange's own sequence number of the last frame in the book.</summary>
    public long? Sequence { get; private set; }

    /// <summary>Unix milliseconds at which the last frame in the book was received from the exchange.</summary>
    public long ReceivedTimestamp { get; private set; }

    /// <summary>The exchange's id of the market; empty when no snapshot named one.</summary>
    public ReadOnlySpan<byte> MarketId => _marketId;

    /// <summary>Applies an order-book envelope.</summary>
    /// <param name="bytes">The bytes that <paramref name="envelope"/> was read from.</param>
    /// <param name="envelope">An envelope of the <see cref="StreamKind.OrderBook"/> stream.</param>
    public BookOutcome Apply(ReadOnlySpan<byte> bytes, in Envelope envelope)
    {
        if (envelope.StreamSequence < 1) return Invalidate();
        if (HasBase && envelope.Position <= Position) return BookOutcome.Duplicate;
        bool isSnapshot = envelope.Channel == MarketChannel.OrderbookSnapshot;
        if (!isSnapshot && (!HasBase || envelope.Position != Position.Next)) return BookOutcome.Gap;

        var payload = envelope.Payload.Of(bytes);
        bool applied = ExchangeFrame.TryParse(payload, out var frame, out _)
            && frame.Type.Channel() == envelope.Channel
            && (isSnapshot ? TryReplace(payload, frame) : frame.Delta is { } delta && Book.TryApply(delta.Side, delta.Price, delta.Change));
        if (!applied) return Invalidate();

        HasBase = true;
        if (isSnapshot) IsStale = envelope.IsStale;
        Position = envelope.Position;
        Sequence = envelope.Sequence;
        ReceivedTimestamp = envelope.ReceivedTimestamp;
        return BookOutcome.Applied;
    }

    private BookOutcome Invalidate()
    {
        HasBase = false;
        return BookOutcome.Invalid;
    }

    private bool TryReplace(ReadOnlySpan<byte> payload, in ExchangeFrame frame)
    {
        var marketId = frame.MarketId.Of(payload);
        if (!marketId.IsEmpty && !marketId.SequenceEqual(_marketId)) _marketId = marketId.ToArray();
        return SnapshotReader.TryRead(payload, frame.Levels, Book);
    }
}
