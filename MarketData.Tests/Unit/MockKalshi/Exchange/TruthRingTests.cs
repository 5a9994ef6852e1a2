using CsCheck;
using MarketData.Domain.Books;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Exchange.Truth;

namespace MarketData.Tests.Unit.MockKalshi.Exchange;

/// <summary>What the exchange remembers, and where its memory ends.</summary>
public class TruthRingTests
{
    [Fact]
    public void A_trail_gives_the_position_of_the_last_frame_up_to_a_number()
    {
        var trail = new SeqTrail();
        trail.Add(3, 10);
        trail.Add(5, 12);

        Assert.Equal([null, 10L, 10L, 12L, 12L], new long[] { 2, 3, 4, 5, 99 }.Select(trail.PositionAt));
    }

    [Fact]
    public void A_trail_forgets_the_oldest_frames_and_no_others()
    {
        var trail = new SeqTrail();
        const long frames = SeqTrail.Held * 2 + 17;
        for (long seq = 1; seq <= frames; seq++) trail.Add(seq, seq * 2);

        Assert.Null(trail.PositionAt(frames - SeqTrail.Held));
        Gen.Long[frames - SeqTrail.Held + 1, frames].Sample(seq => trail.PositionAt(seq) == seq * 2);
    }

    [Fact]
    public void A_book_goes_back_to_every_change_that_is_held()
    {
        var history = new ChangeHistory();
        var books = new[] { new OrderBook(), new OrderBook() };
        long[] last = [0, 0];
        var then = new List<OrderBook>();
        for (int i = 0; i < 1_000; i++)
        {
            int market = i * 7 % 3 % 2;
            var change = new BookChange(i % 5 == 0 ? Side.No : Side.Yes, 100 * (1 + i % 9), i % 4 == 3 ? -1 : 2);
            if (!books[market].TryApply(change.Side, change.Price, change.Delta)) continue;
            last[market] = history.Add(change, last[market]);
            var copy = new OrderBook();
            copy.CopyFrom(books[0]);
            then.Add(copy);
        }

        for (int i = 0; i < then.Count; i++) Assert.True(history.AsOf(books[0], last[0], i + 1)!.ContentEquals(then[i]), $"after change {i + 1}");
    }

    [Fact]
    public void A_book_that_changed_further_back_than_is_held_is_not_told()
    {
        var history = new ChangeHistory();
        var book = new OrderBook();
        long last = 0;
        for (int i = 0; i < ChangeHistory.Held + 2; i++)
        {
            Assert.True(book.TryApply(Side.Yes, 100, 1));
            last = history.Add(new BookChange(Side.Yes, 100, 1), last);
        }

        Assert.Null(history.AsOf(book, last, 1));
        Assert.Equal(2, history.AsOf(book, last, 2)!.CountAt(Side.Yes, 100));
    }
}
