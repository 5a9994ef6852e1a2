using System.Text;
using MarketData.Domain.Frames;

namespace MarketData.Tests.Unit.Domain;

public class PrivateFieldsTests
{
    [Theory]
    [InlineData(
        """{"type":"orderbook_delta","sid":1,"seq":3,"msg":{"market_ticker":"M","client_order_id":"mine","price_dollars":"0.4600","subaccount":3,"side":"no"}}""",
        """{"type":"orderbook_delta","sid":1,"seq":3,"msg":{"market_ticker":"M","price_dollars":"0.4600","side":"no"}}""")]
    [InlineData("""{"msg":{"client_order_id":"mine","a":1}}""", """{"msg":{"a":1}}""")]
    [InlineData("""{"msg":{"a":1,"subaccount":{"deep":[1,{"x":2}]}}}""", """{"msg":{"a":1}}""")]
    [InlineData("""{"msg":{"subaccount":1,"client_order_id":null}}""", """{"msg":{}}""")]
    [InlineData("""{"subaccount":1,"channel":"orderbook_delta","price":48,"client_order_id":"x"}""", """{"channel":"orderbook_delta","price":48}""")]
    public void The_connected_accounts_fields_go_and_the_others_stay(string frame, string expected) => Assert.Equal(expected, Strip(frame));

    [Theory]
    [InlineData("""{"type":"x","msg":{"n":0.4800,"s":"\u00fc <ü> +","list":[ 1, {"b":null} ],"o":{"k":1.0e0}}}""")]
    [InlineData("{}")]
    [InlineData("""{"client_order_idx":1,"msg":"client_order_id","data":["subaccount"]}""")]
    public void What_stays_keeps_its_bytes(string frame) => Assert.Equal(frame, Strip(frame));

    [Fact]
    public void A_stripped_frame_reads_like_the_original()
    {
        var original = Reading.Frame(
            "{ \"msg\" : { \"subaccount\" : 1 , \"market_ticker\" : \"M\" , \"price\" : 48 ,\n \"client_order_id\" : \"a\\\"b\", \"delta\" : 2, \"side\":\"yes\" } , \"type\" : \"orderbook_delta\" }\n");
        Assert.True(original.Frame.HasPrivateFields);
        var stripped = Reading.Frame(PrivateFields.Strip(original.Bytes));
        Assert.False(stripped.Frame.HasPrivateFields);
        Assert.Equal(original.Frame.Delta, stripped.Frame.Delta);
        Assert.Equal(original.Ticker, stripped.Ticker);
        Assert.DoesNotContain("client_order_id", stripped.Json, StringComparison.Ordinal);
    }

    private static string Strip(string frame) => Encoding.UTF8.GetString(PrivateFields.Strip(Encoding.UTF8.GetBytes(frame)));
}
