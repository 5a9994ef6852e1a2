using MarketData.Domain.Books;

namespace MarketData.MockKalshi.Exchange.Truth;

/// <summary>
/// Numbers every book change of the exchange from 1 and holds the last <see cref="Held"/> of them, so that a book can be taken back to
/// any of these numbers. The changes of one market are chained, so that this costs as much as the market changed since. Owned by the
/// exchange's loop.
/// </summary>
internal sealed class ChangeHistory
{
    /// <summary>Changes over all markets; a power of two. 12 MiB.</summary>
    public const int Held = 1 << 19;

    private readonly Entry[] _ring = new Entry[Held];

    private readonly record struct Entry(long PreviousOfMarket, long Delta, int Price, Side Side);

    /// <summary>The newest change's number; 0 before the first.</summary>
    public long Last { get; private set; }

    /// <summary>Numbers a change.</summary>
    /// <param name="change">Already in the book.</param>
    /// <param name="previousOfMarket">The number of the market's change before this one; 0 for none.</param>
    public long Add(in BookChange change, long previousOfMarket)
    {
        Last++;
        _ring[Last & (Held - 1)] = new Entry(previousOfMarket, change.Delta, change.Price, change.Side);
        return Last;
    }

    /// <summary>The book as it stood right after a change of any market; null when the way back is not held any more.</summary>
    /// <param name="book">As it stands; not changed.</param>
    /// <param name="lastOfMarket">The number of its newest change.</param>
    /// <param name="number">The change to go back to.</param>
    public OrderBook? AsOf(OrderBook book, long lastOfMarket, long number)
    {
        var then = new OrderBook();
        then.CopyFrom(book);
        for (long undone = lastOfMarket; undone > number;)
        {
            if (undone <= Last - Held) return null;
            var entry = _ring[undone & (Held - 1)];
            if (!then.TryApply(entry.Side, entry.Price, -entry.Delta))
                throw new InvalidOperationException($"change {undone} is not in the book that it was made to");
            undone = entry.PreviousOfMarket;
        }

        return then;
    }
}
