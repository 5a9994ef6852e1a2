using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Frames;

namespace MarketData.Tests.Unit.Domain;

public class SnapshotReaderTests
{
    [Theory]
    [InlineData("""{"type":"orderbook_snapshot","msg":{"market_ticker":"M","yes_dollars_fp":[["0.4500","100.00"],["0.4800","31.54"]],"no_dollars_fp":[["0.5200","20.00"]]}}""")]
    [InlineData("""{"type":"orderbook_snapshot","msg":{"market_ticker":"M","yes_dollars_fp":[["0.48","31.54"],["0.45","100"]],"no_dollars_fp":[["0.520000","20.0"]]}}""")]
    [InlineData("""{"channel":"orderbook_snapshot","market_ticker":"M","data":{"no_dollars_fp":[["0.5200","20.00"]],"yes_dollars_fp":[["0.4500","100.00"],["0.4800","31.54"]]}}""")]
    [InlineData("""{"channel":"orderbook_snapshot","market_ticker":"M","yes_dollars_fp":[["0.4500","100.00"],["0.4800","31.54"]],"no_dollars_fp":[["0.5200","20.00"]]}""")]
    [InlineData("""{"type":"orderbook_snapshot","msg":{"yes":[[99,1]],"yes_dollars":[["0.9900",1]],"yes_dollars_fp":[["0.4500","100.00"],["0.4800","31.54"]],"no_dollars_fp":[["0.5200","20.00"]],"no_dollars":[["0.9900",1]],"no":[[99,1]]}}""")]
    [InlineData("""{ "msg" : { "yes_dollars_fp" : [ [ "0.4500" , "100.00" ] , [ "0.4800" , "31.54" ] ] , "no" : null , "no_dollars_fp" : [ [ "0.5200" , "20.00" ] ] } , "type" : "orderbook_snapshot" }""")]
    public void A_fixed_point_snapshot_reads_the_same_in_any_order_spelling_and_form(string json) =>
        Assert.Equal("yes 4500:10000 4800:3154 no 5200:2000", Reading.Text(Reading.Book(json)));

    [Theory]
    [InlineData("""{"type":"orderbook_snapshot","msg":{"market_ticker":"M","yes":[[48,200],[45,100]],"no":[[45,100],[48,150]]}}""")]
    [InlineData("""{"channel":"orderbook_snapshot","market_ticker":"M","data":{"yes":[[45,100],[48,200]],"no":[[48,150],[45,100]]}}""")]
    [InlineData("""{"channel":"orderbook_snapshot","market_ticker":"M","yes":[[45,100],[48,200]],"no":[[48,150],[45,100]]}""")]
    [InlineData("""{"type":"orderbook_snapshot","msg":{"yes":[[1,1]],"yes_dollars":[["0.45",100],["0.48",200]],"no_dollars":[["0.4500",100],["0.480",150]],"no":[[1,1]]}}""")]
    public void A_cents_snapshot_is_scaled_and_its_dollar_twins_win(string json) =>
        Assert.Equal("yes 4500:10000 4800:20000 no 4500:10000 4800:15000", Reading.Text(Reading.Book(json)));

    [Theory]
    [InlineData("""{"type":"orderbook_snapshot","msg":{"market_ticker":"M","market_id":""}}""")]
    [InlineData("""{"type":"orderbook_snapshot","msg":{"yes":null,"no":null}}""")]
    [InlineData("""{"type":"orderbook_snapshot","msg":{"yes":[],"no_dollars_fp":[]}}""")]
    [InlineData("""{"type":"orderbook_snapshot","msg":{"yes_dollars":null,"yes_dollars_fp":null}}""")]
    public void Sides_that_are_absent_null_or_empty_make_an_empty_book(string json) => Assert.True(Reading.Book(json).IsEmpty);

    [Fact]
    public void Each_side_has_its_own_form() => Assert.Equal(
        "yes 4800:200 no 5200:300",
        Reading.Text(Reading.Book("""{"type":"orderbook_snapshot","msg":{"yes":[[48,2]],"no_dollars_fp":[["0.5200","3.00"]]}}""")));

    [Fact]
    public void A_null_twin_does_not_hide_the_other_form() => Assert.Equal(
        "yes 4800:200 no",
        Reading.Text(Reading.Book("""{"type":"orderbook_snapshot","msg":{"yes":[[48,2]],"yes_dollars_fp":null}}""")));

    [Fact]
    public void A_snapshot_replaces_everything_that_was_there()
    {
        var book = new OrderBook();
        book.TryApply(Side.Yes, 100, 5);
        book.TryApply(Side.No, 100, 5);
        var parsed = Reading.Frame("""{"type":"orderbook_snapshot","msg":{"no":[[52,1]]}}""");
        Assert.True(SnapshotReader.TryRead(parsed.Bytes, parsed.Frame.Levels, book));
        Assert.Equal("yes no 5200:100", Reading.Text(book));
    }

    [Theory]
    [InlineData("a price twice", """ "yes_dollars_fp":[["0.4800","1.00"],["0.48","2.00"]] """)]
    [InlineData("a negative size", """ "yes_dollars_fp":[["0.4800","-1.00"]] """)]
    [InlineData("a negative size in contracts", """ "yes":[[48,-1]] """)]
    [InlineData("the smallest integer", """ "yes":[[48,-9223372036854775808]] """)]
    [InlineData("the largest integer", """ "yes":[[48,9223372036854775807]] """)]
    [InlineData("an integer too large", """ "yes":[[48,99999999999999999999]] """)]
    [InlineData("more contracts than any size", """ "yes":[[48,1000000000000000]] """)]
    [InlineData("cents above a dollar", """ "yes":[[101,1]] """)]
    [InlineData("negative cents", """ "yes":[[-1,1]] """)]
    [InlineData("fractions of a cent as a number", """ "yes":[[48.5,1]] """)]
    [InlineData("a price above a dollar", """ "yes_dollars_fp":[["1.0001","1.00"]] """)]
    [InlineData("an inexact price", """ "yes_dollars_fp":[["0.48001","1.00"]] """)]
    [InlineData("a number where text belongs", """ "yes_dollars_fp":[[0.48,"1.00"]] """)]
    [InlineData("text where a number belongs", """ "yes":[["48",1]] """)]
    [InlineData("an integer count in the newest form", """ "yes_dollars_fp":[["0.4800",1]] """)]
    [InlineData("a level of one part", """ "yes_dollars_fp":[["0.4800"]] """)]
    [InlineData("a level of three parts", """ "yes_dollars_fp":[["0.4800","1.00","2.00"]] """)]
    [InlineData("an empty level", """ "yes_dollars_fp":[[]] """)]
    [InlineData("no level but a number", """ "yes_dollars_fp":[5] """)]
    [InlineData("no level but null", """ "yes_dollars_fp":[["0.4800","1.00"],null] """)]
    [InlineData("an object for a level", """ "yes_dollars_fp":[{"price":"0.4800"}] """)]
    [InlineData("an object for a side", """ "yes_dollars_fp":{"0.4800":"1.00"} """)]
    [InlineData("text for a side", """ "yes_dollars_fp":"none" """)]
    [InlineData("nested levels", """ "yes_dollars_fp":[[["0.4800","1.00"]]] """)]
    [InlineData("an unreadable second side", """ "yes_dollars_fp":[["0.4800","1.00"]],"no_dollars_fp":[["x","1.00"]] """)]
    public void An_unreadable_snapshot_is_refused_whole(string what, string sides)
    {
        var book = new OrderBook();
        book.TryApply(Side.Yes, 100, 5);
        var bytes = Encoding.UTF8.GetBytes($$"""{"type":"orderbook_snapshot","msg":{ {{sides}} } }""");
        Assert.True(ExchangeFrame.TryParse(bytes, out var frame, out _), what);
        Assert.False(SnapshotReader.TryRead(bytes, frame.Levels, book), what);
        Assert.True(book.IsEmpty, what);
    }

    [Fact]
    public void Levels_of_no_size_rest_nowhere() => Assert.Equal(
        "yes 4800:100 no",
        Reading.Text(Reading.Book("""{"type":"orderbook_snapshot","msg":{"yes_dollars_fp":[["0.4700","0.00"],["0.4800","1.00"]]}}""")));
}
