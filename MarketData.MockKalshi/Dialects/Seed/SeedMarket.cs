using MarketData.Domain.Books;
using MarketData.Domain.Frames;

namespace MarketData.MockKalshi.Dialects.Seed;

/// <summary>A market as the seed dialect publishes it. Owned by the exchange's loop.</summary>
internal sealed class SeedMarket(string ticker)
{
    /// <summary>Every so many changes a snapshot takes the place of a change.</summary>
    private const int SnapshotEvery = 10;

    private readonly OrderBook _published = new();
    private readonly List<BookDelta> _changes = [];
    private int _updates;

    public string Ticker { get; } = ticker;

    public OrderBook Book { get; } = new();

    /// <summary>Who listens to some channel of it.</summary>
    public List<SeedSession> Listeners { get; } = [];

    /// <summary>YES price in 1/10,000 dollar; null before the first trade that was seen.</summary>
    public int? LastPrice { get; set; }

    /// <summary>Counts all that traded since somebody listens, 1/100 contract.</summary>
    public long Volume { get; set; }

    /// <summary>What leads from the book as published last to the book as it is, which counts as published from now on.</summary>
    public IReadOnlyList<BookDelta> TakeChanges()
    {
        _changes.Clear();
        foreach (var side in new[] { Side.Yes, Side.No })
        {
            foreach (var level in _published.Levels(side))
            {
                long change = Book.CountAt(side, level.Price) - level.Count;
                if (change != 0) _changes.Add(new BookDelta(side, level.Price, change));
            }

            foreach (var level in Book.Levels(side))
            {
                if (_published.CountAt(side, level.Price) == 0) _changes.Add(new BookDelta(side, level.Price, level.Count));
            }
        }

        _published.CopyFrom(Book);
        return _changes;
    }

    /// <summary>
    /// Counts a change. True when a snapshot takes its place: then the published book is forgotten, and the next change brings the whole
    /// book again as positive changes on top of the snapshot. That is how the seed does it.
    /// </summary>
    public bool IsSnapshotDue()
    {
        if (++_updates % SnapshotEvery != 0) return false;
        _published.Clear();
        return true;
    }
}
