using MarketData.Domain.Books;
using MarketData.Domain.Frames;

namespace MarketData.Ingest.Pipeline;

/// <summary>What becomes of an order-book frame.</summary>
public enum BookVerdict : byte
{
    /// <summary>It tells something new, and the book has it now.</summary>
    Publish,

    /// <summary>A snapshot equal to the book as it is known.</summary>
    IdenticalSnapshot,

    /// <summary>A delta of zero.</summary>
    NoOpDelta,

    /// <summary>A delta of a book that is not current: nothing says what it changes.</summary>
    Stale,

    /// <summary>Unreadable, of another market id, or a delta that takes a level below zero: the book is wrong from here on.</summary>
    Broken,
}

/// <summary>
/// Keeps the markets' books as the exchange tells them, and tells which frames change nothing and need not be published. A book that is
/// stale is never compared: its next snapshot is published whatever it holds. Not thread-safe.
/// </summary>
public sealed class BookDeduplicator(TimeProvider time)
{
    // A match may cross a book between two of its deltas, for a moment.
    private static readonly TimeSpan LongestCross = TimeSpan.FromSeconds(5);

    private readonly List<TrackedMarket> _crossed = [];
    private OrderBook _snapshot = new();

    /// <param name="market">The frame's market; its book and state are changed.</param>
    /// <param name="bytes">The bytes that the frame was read from.</param>
    /// <param name="frame">A snapshot or delta.</param>
    public BookVerdict Judge(TrackedMarket market, ReadOnlySpan<byte> bytes, in ExchangeFrame frame)
    {
        var verdict = frame.Type == FrameType.OrderbookSnapshot ? JudgeSnapshot(market, bytes, frame) : JudgeDelta(market, frame.MarketId.Of(bytes), frame.Delta);
        if (verdict == BookVerdict.Broken) market.State = BookState.Stale;
        else if (market.Book.IsCrossed != market.CrossedSince.HasValue) NoteCross(market);
        return verdict;
    }

    /// <summary>
    /// Takes a market of a connection whose book is current and has been crossed for so long that something must be missing; null when there
    /// is none.
    /// </summary>
    public TrackedMarket? TakeCrossedForLong(int connection)
    {
        // Hardly ever more than none.
        foreach (var market in _crossed)
        {
            if (market.Connection != connection || time.GetElapsedTime(market.CrossedSince!.Value) < LongestCross) continue;
            market.CrossedSince = null;
            _crossed.Remove(market);
            if (market.State != BookState.Current) return null;
            market.State = BookState.Stale;
            return market;
        }

        return null;
    }

    private void NoteCross(TrackedMarket market)
    {
        if (market.Book.IsCrossed)
        {
            market.CrossedSince = time.GetTimestamp();
            _crossed.Add(market);
        }
        else
        {
            market.CrossedSince = null;
            _crossed.Remove(market);
        }
    }

    private BookVerdict JudgeSnapshot(TrackedMarket market, ReadOnlySpan<byte> bytes, in ExchangeFrame frame)
    {
        if (!SnapshotReader.TryRead(bytes, frame.Levels, _snapshot)) return BookVerdict.Broken;
        bool isKnown = market.State is BookState.Current or BookState.Restored && market.Book.ContentEquals(_snapshot);
        market.Exchange(ref _snapshot, frame.MarketId.Of(bytes));
        return isKnown ? BookVerdict.IdenticalSnapshot : BookVerdict.Publish;
    }

    private static BookVerdict JudgeDelta(TrackedMarket market, ReadOnlySpan<byte> marketId, BookDelta? delta)
    {
        if (market.State != BookState.Current) return BookVerdict.Stale;
        if (!marketId.IsEmpty && market.MarketId.Length > 0 && !marketId.SequenceEqual(market.MarketId)) return BookVerdict.Broken;
        if (delta is not { } change || !market.Book.TryApply(change.Side, change.Price, change.Change)) return BookVerdict.Broken;
        return change.Change == 0 ? BookVerdict.NoOpDelta : BookVerdict.Publish;
    }
}
