using CsCheck;
using MarketData.Domain.Books;
using MarketData.Domain.Numbers;

namespace MarketData.Tests.Unit.Domain;

public class OrderBookTests
{
    private static readonly Gen<(Side Side, int Price, long Delta)[]> Deltas = Gen.Select(
        Gen.OneOf(Side.Yes, Side.No),
        Gen.Frequency((3, Gen.Int[1, 12].Select(cents => cents * 100)), (1, Gen.Int[0, FixedPoint.PriceScale])),
        Gen.Frequency(
            (8, Gen.Long[-300, 300]),
            (1, Gen.OneOf(long.MinValue, long.MaxValue, FixedPoint.MaxCount, FixedPoint.MaxCount + 1, -FixedPoint.MaxCount)))).Array[0, 300];

    [Fact]
    public void Any_stream_of_changes_leaves_what_a_dictionary_of_sizes_would_hold() => Deltas.Sample(deltas =>
    {
        var book = new OrderBook();
        var model = new Dictionary<(Side, int), Int128>();
        foreach (var (side, price, delta) in deltas)
        {
            var after = model.GetValueOrDefault((side, price)) + delta;
            bool isPossible = after >= 0 && after <= FixedPoint.MaxCount;
            Assert.Equal(isPossible, book.TryApply(side, price, delta));
            if (isPossible) model[(side, price)] = after;
            Assert.Equal((long)model.GetValueOrDefault((side, price)), book.CountAt(side, price));
        }

        foreach (var side in new[] { Side.Yes, Side.No })
        {
            var expected = model.Where(entry => entry.Key.Item1 == side && entry.Value > 0)
                .Select(entry => new Level(entry.Key.Item2, (long)entry.Value)).OrderBy(level => level.Price);
            Assert.Equal(expected, book.Levels(side).ToArray());
        }

        Assert.Equal(model.Values.All(count => count == 0), book.IsEmpty);
    }, iter: 500);

    [Fact]
    public void A_level_goes_at_exactly_zero()
    {
        var book = new OrderBook();
        Assert.True(book.TryApply(Side.Yes, 4_800, 100));
        Assert.True(book.TryApply(Side.Yes, 4_800, -100));
        Assert.True(book.IsEmpty);
    }

    [Theory]
    [InlineData(-101)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    [InlineData(FixedPoint.MaxCount)]
    public void A_change_below_zero_or_beyond_any_size_is_refused_and_leaves_the_book_as_it_was(long delta)
    {
        var book = new OrderBook();
        book.TryApply(Side.Yes, 4_800, 100);
        book.TryApply(Side.No, 5_100, 200);
        Assert.False(book.TryApply(Side.Yes, 4_800, delta));
        Assert.Equal("yes 4800:100 no 5100:200", Reading.Text(book));
    }

    [Fact]
    public void A_change_below_zero_where_nothing_rests_is_refused()
    {
        var book = new OrderBook();
        Assert.False(book.TryApply(Side.No, 4_800, -1));
        Assert.True(book.IsEmpty);
    }

    [Fact]
    public void The_sides_are_separate_and_the_best_bid_is_last()
    {
        var book = new OrderBook();
        foreach (int price in new[] { 4_800, 100, 9_900, 4_700 }) book.TryApply(Side.Yes, price, 1);
        Assert.Equal("yes 100:1 4700:1 4800:1 9900:1 no", Reading.Text(book));
    }

    [Fact]
    public void A_copy_is_equal_until_one_of_them_changes()
    {
        var book = new OrderBook();
        book.TryApply(Side.Yes, 4_800, 100);
        book.TryApply(Side.No, 5_100, 200);
        var copy = new OrderBook();
        copy.TryApply(Side.No, 1, 1);
        copy.CopyFrom(book);
        Assert.True(copy.ContentEquals(book));

        copy.TryApply(Side.No, 5_100, 1);
        Assert.False(copy.ContentEquals(book));
        Assert.Equal("yes 4800:100 no 5100:200", Reading.Text(book));
    }
}
