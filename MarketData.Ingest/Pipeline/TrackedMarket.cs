using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

namespace MarketData.Ingest.Pipeline;

/// <summary>What a market's book is worth.</summary>
public enum BookState : byte
{
    /// <summary>No snapshot was seen: a delta has nothing to change.</summary>
    Unknown,

    /// <summary>Read back from the log; the exchange has not confirmed it yet.</summary>
    Restored,

    /// <summary>Follows the exchange's stream from a snapshot on without a hole.</summary>
    Current,

    /// <summary>Something was lost: only the exchange's next snapshot tells what the book is.</summary>
    Stale,
}

/// <summary>One market on its way to the log: its book as published, and the last number of each of its streams. Not thread-safe.</summary>
/// <param name="key">The ticker as UTF-8, or the key of frames without one.</param>
public sealed class TrackedMarket(byte[] key)
{
    private readonly StreamPosition[] _last = new StreamPosition[Enum.GetValues<StreamKind>().Length];

    /// <summary>The records' key.</summary>
    public byte[] Key { get; } = key;

    public BookState State { get; set; }

    /// <summary>The connection that brings the book; its end makes the book stale.</summary>
    public int Connection { get; set; }

    /// <summary>Since when the book is crossed, on the monotonic clock; null when it is not.</summary>
    public long? CrossedSince { get; set; }

    /// <summary>The exchange's id of the market, as text; empty when unknown.</summary>
    public byte[] MarketId { get; private set; } = [];

    /// <summary>The book as the log has it; meaningful while <see cref="State"/> is not <see cref="BookState.Unknown"/>.</summary>
    public OrderBook Book { get; private set; } = new();

    /// <summary>The last number given out or found in the log; sequence 0 before the first.</summary>
    public StreamPosition Last(StreamKind stream) => _last[(int)stream];

    /// <summary>The next number of a stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="epoch">The epoch of a count that begins now.</param>
    public StreamPosition Next(StreamKind stream, long epoch)
    {
        ref var last = ref _last[(int)stream];
        last = last.Sequence == 0 ? new StreamPosition(epoch, 1) : last.Next;
        return last;
    }

    /// <summary>Takes a position found in the log, unless a later one is known.</summary>
    public void Restore(StreamKind stream, StreamPosition position)
    {
        ref var last = ref _last[(int)stream];
        if (position > last) last = position;
    }

    /// <summary>Takes a book read back from the log.</summary>
    public void Restore(OrderBook book, ReadOnlySpan<byte> marketId)
    {
        Book = book;
        MarketId = marketId.ToArray();
        State = BookState.Restored;
    }

    /// <summary>Takes a snapshot's book and gives the former one away, so that no snapshot makes a new book.</summary>
    public void Exchange(ref OrderBook book, ReadOnlySpan<byte> marketId)
    {
        if (!marketId.IsEmpty && !marketId.SequenceEqual(MarketId)) MarketId = marketId.ToArray();
        (Book, book) = (book, Book);
        State = BookState.Current;
    }
}
