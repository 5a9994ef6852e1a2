using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Frames;
using MarketData.Ingest.Pipeline;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>Which book frames are published.</summary>
public sealed class BookDeduplicatorTests
{
    private const string TenAtForty = """{"type":"orderbook_snapshot","msg":{"market_ticker":"A","yes_dollars_fp":[["0.4000","10.00"]]}}""";
    private const string Empty = """{"type":"orderbook_snapshot","msg":{"market_ticker":"A","market_id":""}}""";

    private readonly ManualTime _time = new();
    private readonly BookDeduplicator _deduplicator;
    private readonly TrackedMarket _market = new("A"u8.ToArray());

    public BookDeduplicatorTests() => _deduplicator = new BookDeduplicator(_time);

    [Fact]
    public void The_first_snapshot_is_published_and_an_identical_one_is_skipped()
    {
        Assert.Equal(BookVerdict.Publish, Judge(TenAtForty));
        Assert.Equal(BookVerdict.IdenticalSnapshot, Judge(TenAtForty));
    }

    [Theory]
    [InlineData("""{"type":"orderbook_snapshot","msg":{"market_ticker":"A","yes_dollars_fp":[["0.40","10"]]}}""")]
    [InlineData("""{"type":"orderbook_snapshot","msg":{"market_ticker":"A","yes_dollars":[["0.40",10]]}}""")]
    [InlineData("""{"type":"orderbook_snapshot","seq":9,"msg":{"market_ticker":"A","yes":[[40,10]],"no":[]}}""")]
    [InlineData("""{"channel":"orderbook_snapshot","market_ticker":"A","seq":9,"data":{"yes":[[40,10]]}}""")]
    public void Books_are_compared_as_numbers_not_as_text(string same)
    {
        Judge(TenAtForty);
        Assert.Equal(BookVerdict.IdenticalSnapshot, Judge(same));
    }

    [Fact]
    public void A_first_empty_snapshot_is_data()
    {
        Assert.Equal(BookVerdict.Publish, Judge(Empty));
        Assert.Equal(BookVerdict.IdenticalSnapshot, Judge(Empty));
    }

    [Fact]
    public void The_empty_snapshot_of_a_close_is_published_once_though_it_comes_twice()
    {
        Judge(TenAtForty);
        Assert.Equal(BookVerdict.Publish, Judge(Empty));
        Assert.Equal(BookVerdict.IdenticalSnapshot, Judge(Empty));
    }

    [Fact]
    public void Only_deltas_that_change_something_are_published()
    {
        Judge(TenAtForty);
        Assert.Equal(BookVerdict.NoOpDelta, Judge(Delta("0.00")));
        Assert.Equal(BookVerdict.Publish, Judge(Delta("-0.01")));
        Assert.Equal(999, _market.Book.CountAt(Side.Yes, 4000));
    }

    [Fact]
    public void A_snapshot_is_compared_with_the_book_that_the_deltas_made()
    {
        Judge(Empty);
        Judge(Delta("10.00"));
        Assert.Equal(BookVerdict.IdenticalSnapshot, Judge(TenAtForty));
        Judge(Delta("1.00"));
        Assert.Equal(BookVerdict.Publish, Judge(TenAtForty));
    }

    [Fact]
    public void Nothing_is_known_before_the_first_snapshot()
    {
        Assert.Equal(BookVerdict.Stale, Judge(Delta("1.00")));
        Assert.Equal(BookVerdict.Publish, Judge(TenAtForty));
    }

    [Fact]
    public void After_a_loss_deltas_are_withheld_and_the_next_snapshot_is_published_though_it_is_identical()
    {
        Judge(TenAtForty);
        _market.State = BookState.Stale;
        Assert.Equal(BookVerdict.Stale, Judge(Delta("1.00")));
        Assert.Equal(BookVerdict.Publish, Judge(TenAtForty));
        Assert.Equal(BookVerdict.Publish, Judge(Delta("1.00")));
    }

    [Fact]
    public void A_restored_book_is_good_for_comparison_but_not_for_deltas()
    {
        var book = new OrderBook();
        book.TryApply(Side.Yes, 4000, 1000);
        _market.Restore(book, []);
        Assert.Equal(BookVerdict.Stale, Judge(Delta("1.00")));
        Assert.Equal(BookVerdict.IdenticalSnapshot, Judge(TenAtForty));
        Assert.Equal(BookVerdict.Publish, Judge(Delta("1.00")));
    }

    [Theory]
    [InlineData("""{"type":"orderbook_delta","msg":{"market_ticker":"A","price_dollars":"0.4000","delta_fp":"-10.01","side":"yes"}}""")]
    [InlineData("""{"type":"orderbook_delta","msg":{"market_ticker":"A","price_dollars":"0.4000","side":"yes"}}""")]
    [InlineData("""{"type":"orderbook_delta","msg":{"market_ticker":"A","price_dollars":"0.4000","delta_fp":"1.00","side":"maybe"}}""")]
    [InlineData("""{"type":"orderbook_snapshot","msg":{"market_ticker":"A","yes_dollars_fp":[["0.4000","1.00"],["0.4000","1.00"]]}}""")]
    public void A_frame_that_cannot_be_right_makes_the_book_stale(string broken)
    {
        Judge(TenAtForty);
        Assert.Equal(BookVerdict.Broken, Judge(broken));
        Assert.Equal(BookState.Stale, _market.State);
        Assert.Equal(BookVerdict.Publish, Judge(TenAtForty));
    }

    [Fact]
    public void A_book_that_stays_crossed_is_taken_for_wrong_once()
    {
        Judge(TenAtForty);
        Assert.Equal(BookVerdict.Publish, Judge(Delta("1.00", "0.6001", "no")));
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Null(_deduplicator.TakeCrossedForLong(connection: 0));

        _time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Same(_market, _deduplicator.TakeCrossedForLong(connection: 0));
        Assert.Equal(BookState.Stale, _market.State);
        Assert.Null(_deduplicator.TakeCrossedForLong(connection: 0));
    }

    [Theory]
    [InlineData("0.6000", "1.00", "0.00")]
    [InlineData("0.6001", "1.00", "-1.00")]
    public void A_dollar_together_or_a_moment_of_crossing_is_no_fault(string price, string change, string later)
    {
        Judge(TenAtForty);
        Judge(Delta(change, price, "no"));
        Judge(Delta(later, price, "no"));

        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Null(_deduplicator.TakeCrossedForLong(connection: 0));
        Assert.Equal(BookState.Current, _market.State);
    }

    [Fact]
    public void A_delta_under_another_market_id_cannot_be_right()
    {
        Judge("""{"type":"orderbook_snapshot","msg":{"market_ticker":"A","market_id":"one","yes_dollars_fp":[["0.4000","10.00"]]}}""");
        Assert.Equal(BookVerdict.Publish, Judge(Delta("1.00", id: "one")));
        Assert.Equal(BookVerdict.Broken, Judge(Delta("1.00", id: "two")));
    }

    private static string Delta(string change, string price = "0.4000", string side = "yes", string id = "") =>
        $$$"""{"type":"orderbook_delta","msg":{"market_ticker":"A","market_id":"{{{id}}}","price_dollars":"{{{price}}}","delta_fp":"{{{change}}}","side":"{{{side}}}"}}""";

    private BookVerdict Judge(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Assert.True(ExchangeFrame.TryParse(bytes, out var frame, out string? error), error);
        return _deduplicator.Judge(_market, bytes, frame);
    }
}
