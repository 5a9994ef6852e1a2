using System.Runtime.InteropServices;
using MarketData.Domain.Numbers;

namespace MarketData.Domain.Books;

/// <summary>
/// One market's resting bids on both sides, in exact integers. Not thread-safe: one owner at a time.
/// </summary>
public sealed class OrderBook
{
    private readonly List<Level> _yes = [], _no = [];

    /// <summary>The levels of one side in ascending price, so the best bid is last. Valid until the next change.</summary>
    public ReadOnlySpan<Level> Levels(Side side) => CollectionsMarshal.AsSpan(Ladder(side));

    public bool IsEmpty => _yes.Count == 0 && _no.Count == 0;

    /// <summary>The best bids of both sides cost more than a dollar together, which an exchange matches at once.</summary>
    public bool IsCrossed => _yes.Count > 0 && _no.Count > 0 && _yes[^1].Price + _no[^1].Price > FixedPoint.PriceScale;

    /// <summary>The size at a price, 0 when nothing rests there.</summary>
    public long CountAt(Side side, int price)
    {
        var ladder = Ladder(side);
        int index = IndexOf(ladder, price);
        return index < 0 ? 0 : ladder[index].Count;
    }

    /// <summary>
    /// Adds a signed change at a price; the level goes at exactly zero. False, and nothing changed, when the level would fall
    /// below zero or rise above <see cref="FixedPoint.MaxCount"/>: the book or the change is wrong then.
    /// </summary>
    /// <param name="side">The ladder.</param>
    /// <param name="price">1/10,000 dollar.</param>
    /// <param name="delta">1/100 contract.</param>
    public bool TryApply(Side side, int price, long delta)
    {
        var ladder = Ladder(side);
        int index = IndexOf(ladder, price);
        long before = index < 0 ? 0 : ladder[index].Count;
        // A sum past the end of long turns negative and is refused like any other.
        long after = unchecked(before + delta);
        if (after is < 0 or > FixedPoint.MaxCount) return false;
        if (index >= 0)
        {
            if (after == 0) ladder.RemoveAt(index);
            else ladder[index] = new Level(price, after);
        }
        else if (after > 0)
        {
            ladder.Insert(~index, new Level(price, after));
        }

        return true;
    }

    public void Clear()
    {
        _yes.Clear();
        _no.Clear();
    }

    public void CopyFrom(OrderBook other)
    {
        Clear();
        _yes.AddRange(other._yes);
        _no.AddRange(other._no);
    }

    public bool ContentEquals(OrderBook other) =>
        Levels(Side.Yes).SequenceEqual(other.Levels(Side.Yes)) && Levels(Side.No).SequenceEqual(other.Levels(Side.No));

    private List<Level> Ladder(Side side) => side == Side.Yes ? _yes : _no;

    private static int IndexOf(List<Level> ladder, int price)
    {
        var levels = CollectionsMarshal.AsSpan(ladder);
        int low = 0, high = levels.Length - 1;
        while (low <= high)
        {
            int middle = (int)((uint)(low + high) >> 1);
            int at = levels[middle].Price;
            if (at == price) return middle;
            if (at < price) low = middle + 1;
            else high = middle - 1;
        }

        return ~low;
    }
}
