using CsCheck;
using MarketData.Domain.Books;
using MarketData.Domain.Frames;

namespace MarketData.Tests.Unit.Domain;

public class ExchangeFrameTests
{
    [Fact]
    public void A_fixed_point_delta_gives_header_market_and_change()
    {
        var parsed = Reading.Frame("""
            {"type":"orderbook_delta","sid":3,"seq":41,"msg":{"market_ticker":"KXFED-27APR-T4.25","market_id":"f2c0","price_dollars":"0.7200","delta_fp":"-6674.00","side":"no","ts":"2026-08-30T05:31:52.107014Z","ts_ms":1788067912107}}
            """);
        Assert.Equal(FrameType.OrderbookDelta, parsed.Frame.Type);
        Assert.Equal("orderbook_delta", parsed.TypeName);
        Assert.Equal("KXFED-27APR-T4.25", parsed.Ticker);
        Assert.Equal("f2c0", parsed.MarketId);
        Assert.Equal(3, parsed.Frame.Sid);
        Assert.Equal(41, parsed.Frame.Seq);
        Assert.Equal(0, parsed.Frame.Id);
        Assert.Equal(new BookDelta(Side.No, 7_200, -667_400), parsed.Frame.Delta);
        Assert.False(parsed.Frame.HasPrivateFields);
        Assert.StartsWith("""{"market_ticker":"KXFED""", parsed.Body, StringComparison.Ordinal);
        Assert.EndsWith("1788067912107}", parsed.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("orderbook_snapshot", FrameType.OrderbookSnapshot)]
    [InlineData("orderbook_delta", FrameType.OrderbookDelta)]
    [InlineData("ticker", FrameType.Ticker)]
    [InlineData("ticker_v2", FrameType.Ticker)]
    [InlineData("trade", FrameType.Trade)]
    [InlineData("market_lifecycle_v2", FrameType.Lifecycle)]
    [InlineData("event_lifecycle", FrameType.Lifecycle)]
    [InlineData("event_fee_update", FrameType.Lifecycle)]
    [InlineData("multivariate_market_lifecycle", FrameType.Lifecycle)]
    [InlineData("subscribed", FrameType.Subscribed)]
    [InlineData("unsubscribed", FrameType.Unsubscribed)]
    [InlineData("ok", FrameType.Ok)]
    [InlineData("subscription_updated", FrameType.Ok)]
    [InlineData("error", FrameType.Error)]
    [InlineData("fill", FrameType.Private)]
    [InlineData("market_position", FrameType.Private)]
    [InlineData("user_order", FrameType.Private)]
    [InlineData("order_update", FrameType.Private)]
    [InlineData("order_group_updates", FrameType.Private)]
    [InlineData("rfq_created", FrameType.Private)]
    [InlineData("quote_accepted", FrameType.Private)]
    [InlineData("communications", FrameType.Private)]
    [InlineData("multivariate_lookup", FrameType.Unknown)]
    [InlineData("cfbenchmarks_value", FrameType.Unknown)]
    [InlineData("something_of_next_year", FrameType.Unknown)]
    [InlineData("ORDERBOOK_DELTA", FrameType.Unknown)]
    public void Every_type_is_known_by_its_name_in_all_forms(string name, FrameType type)
    {
        Assert.Equal(type, Reading.Frame($$$"""{"type":"{{{name}}}","msg":{}}""").Frame.Type);
        Assert.Equal(type, Reading.Frame($$$"""{"channel":"{{{name}}}","data":{}}""").Frame.Type);
        Assert.Equal(name, Reading.Frame($$$"""{"msg":{"type":"x","channel":"y"},"channel":"z","type":"{{{name}}}"}""").TypeName);
    }

    [Theory]
    [InlineData("""{"type":"ticker","sid":2,"msg":{"market_ticker":"M-1","price_dollars":""}}""", "M-1")]
    [InlineData("""{"type":"ticker","seq":2,"msg":{"marketTicker":"M-1","lastPrice":null}}""", "M-1")]
    [InlineData("""{"channel":"ticker_v2","market_ticker":"M-1","seq":12,"data":{"yes_bid":65}}""", "M-1")]
    [InlineData("""{"channel":"ticker_v2","marketTicker":"M-1"}""", "M-1")]
    [InlineData("""{"market_ticker":"outer","msg":{"market_ticker":"M-1"},"type":"ticker"}""", "M-1")]
    [InlineData("""{"msg":{"market_ticker":"M-1"},"type":"ticker","market_ticker":"outer"}""", "M-1")]
    [InlineData("""{"type":"event_lifecycle","msg":{"event_ticker":"E"}}""", "")]
    [InlineData("""{"type":"ticker","msg":{"market_ticker":null}}""", "")]
    [InlineData("""{"type":"ticker","msg":{"market_ticker":7}}""", "")]
    [InlineData("""{"type":"ticker","msg":{"market_ticker":{"a":["b c"]}}}""", "")]
    [InlineData("""{"type":"ticker","msg":{"deeper":{"market_ticker":"no"}}}""", "")]
    public void The_market_is_found_in_every_form(string json, string ticker) => Assert.Equal(ticker, Reading.Frame(json).Ticker);

    /// <summary>How a change is told: the keys of each dialect, with lies in the older twins where a newer one is present.</summary>
    private static readonly (string Name, Func<int, int, string[]> Fields)[] Dialects =
    [
        ("fixed point", (cents, contracts) => [$"\"price_dollars\":\"0.{cents:00}00\"", $"\"delta_fp\":\"{contracts}.00\""]),
        ("cents", (cents, contracts) => [$"\"price\":{cents}", $"\"delta\":{contracts}"]),
        ("cents with dollars", (cents, contracts) => ["\"price\":1", $"\"price_dollars\":\"0.{cents:00}\"", $"\"delta\":{contracts}"]),
        ("transitional", (cents, contracts) =>
            ["\"price\":1", $"\"price_dollars\":\"0.{cents:00}\"", "\"delta\":1", $"\"delta_fp\":\"{contracts}.0\""]),
    ];

    private static readonly (string Name, Func<string[], string[]> Keys)[] Forms =
    [
        ("type and msg", fields => ["\"type\":\"orderbook_delta\"", "\"seq\":9", $"\"msg\":{{\"market_ticker\":\"M\",{string.Join(',', fields)}}}"]),
        ("channel and data", fields =>
            ["\"channel\":\"orderbook_delta\"", "\"market_ticker\":\"M\"", "\"seq\":9", $"\"data\":{{{string.Join(',', fields)}}}"]),
        ("top level", fields => ["\"channel\":\"orderbook_delta\"", "\"market_ticker\":\"M\"", "\"seq\":9", .. fields]),
    ];

    [Fact]
    public void A_change_reads_the_same_in_every_dialect_form_and_key_order() => (
        from dialect in Gen.OneOf(Dialects)
        from form in Gen.OneOf(Forms)
        from cents in Gen.Int[1, 99]
        from contracts in Gen.Int[-100_000, 100_000]
        from isYes in Gen.Bool
        from fields in Gen.Shuffle((string[])[.. dialect.Fields(cents, contracts), $"\"side\":\"{(isYes ? "yes" : "no")}\"", "\"later\":[{}]"])
        from keys in Gen.Shuffle(form.Keys(fields))
        select (Json: $"{{{string.Join(',', keys)}}}", Expected: new BookDelta(isYes ? Side.Yes : Side.No, cents * 100, contracts * 100L)))
        .Sample(sample =>
        {
            var parsed = Reading.Frame(sample.Json);
            Assert.Equal(FrameType.OrderbookDelta, parsed.Frame.Type);
            Assert.Equal("M", parsed.Ticker);
            Assert.Equal(9, parsed.Frame.Seq);
            Assert.Equal(sample.Expected, parsed.Frame.Delta);
        }, iter: 5_000);

    [Theory]
    [InlineData("""{"price_dollars":"0.48","delta_fp":"1.00"}""")]
    [InlineData("""{"price_dollars":"0.48","delta_fp":"1.00","side":"both"}""")]
    [InlineData("""{"price_dollars":"0.48","delta_fp":"1.00","side":"Yes"}""")]
    [InlineData("""{"price_dollars":"0.48","side":"yes"}""")]
    [InlineData("""{"delta_fp":"1.00","side":"yes"}""")]
    [InlineData("""{"price_dollars":"1.01","delta_fp":"1.00","side":"yes"}""")]
    [InlineData("""{"price_dollars":"0.48001","delta_fp":"1.00","side":"yes"}""")]
    [InlineData("""{"price_dollars":"0.48","delta_fp":"1.001","side":"yes"}""")]
    [InlineData("""{"price_dollars":"half","price":48,"delta_fp":"1.00","side":"yes"}""")]
    [InlineData("""{"price":101,"delta":1,"side":"yes"}""")]
    [InlineData("""{"price":-1,"delta":1,"side":"yes"}""")]
    [InlineData("""{"price":48.5,"delta":1,"side":"yes"}""")]
    [InlineData("""{"price":48,"delta":"1","side":"yes"}""")]
    [InlineData("""{"price":48,"delta":9223372036854775807,"side":"yes"}""")]
    [InlineData("""{"price":48,"delta":-9223372036854775808,"side":"yes"}""")]
    [InlineData("""{"price":48,"delta":1e3,"side":"yes"}""")]
    [InlineData("""{"price":[48],"delta":{"x":1},"side":["yes"]}""")]
    public void A_delta_with_a_part_missing_or_unreadable_tells_no_change(string msg) =>
        Assert.Null(Reading.Frame($$$"""{"type":"orderbook_delta","sid":1,"seq":5,"msg":{{{msg}}}}""").Frame.Delta);

    [Fact]
    public void Only_a_delta_tells_a_change() =>
        Assert.Null(Reading.Frame("""{"type":"trade","msg":{"price":48,"delta":1,"side":"yes"}}""").Frame.Delta);

    [Fact]
    public void The_last_of_repeated_keys_counts_as_in_other_readers()
    {
        var parsed = Reading.Frame("""{"type":"trade","type":"orderbook_snapshot","seq":1,"seq":2,"msg":{"yes":[[1,1]],"yes":[[48,2]]}}""");
        Assert.Equal(FrameType.OrderbookSnapshot, parsed.Frame.Type);
        Assert.Equal(2, parsed.Frame.Seq);
        var book = new OrderBook();
        Assert.True(SnapshotReader.TryRead(parsed.Bytes, parsed.Frame.Levels, book));
        Assert.Equal("yes 4800:200 no", Reading.Text(book));
    }

    [Fact]
    public void White_space_around_a_frame_is_not_part_of_it()
    {
        var parsed = Reading.Frame(" \r\n{\"type\":\"ok\" , \"msg\" : [1, 2] }\n\n");
        Assert.Equal("{\"type\":\"ok\" , \"msg\" : [1, 2] }", parsed.Json);
        Assert.Equal("[1, 2]", parsed.Body);
    }

    [Fact]
    public void Replies_carry_the_id_of_their_command()
    {
        var subscribed = Reading.Frame("""{"id":1,"type":"subscribed","msg":{"channel":"orderbook_delta","sid":1}}""");
        Assert.Equal((FrameType.Subscribed, 1, 0, null), (subscribed.Frame.Type, subscribed.Frame.Id, subscribed.Frame.Sid, subscribed.Frame.Seq));

        var ok = Reading.Frame("""{"id":4,"type":"ok","sid":1,"seq":57,"msg":{"market_tickers":["A","B"]}}""");
        Assert.Equal((FrameType.Ok, 4, 1, 57), (ok.Frame.Type, ok.Frame.Id, ok.Frame.Sid, ok.Frame.Seq));

        var list = Reading.Frame("""{"id":7,"type":"ok","msg":[{"channel":"orderbook_delta","sid":1},{"channel":"trade","sid":2}]}""");
        Assert.Equal((FrameType.Ok, 7, 0, null), (list.Frame.Type, list.Frame.Id, list.Frame.Sid, list.Frame.Seq));
        Assert.StartsWith("[{", list.Body, StringComparison.Ordinal);

        var unsubscribed = Reading.Frame("""{"id":3,"type":"unsubscribed","sid":1,"seq":59}""");
        Assert.Equal((FrameType.Unsubscribed, 3, 1, 59), (unsubscribed.Frame.Type, unsubscribed.Frame.Id, unsubscribed.Frame.Sid, unsubscribed.Frame.Seq));
        Assert.Equal("", unsubscribed.Body);
    }

    [Theory]
    [InlineData("""{"id":9,"type":"error","msg":{"code":8,"msg":"Unknown channel name"}}""", """{"code":8,"msg":"Unknown channel name"}""")]
    [InlineData("""{"type":"error","id":9,"msg":"Unknown command: \"foo\""}""", "\"Unknown command: \\\"foo\\\"\"")]
    [InlineData("""{"type":"error","id":9,"msg":null}""", "null")]
    public void An_error_keeps_its_message_as_object_or_text(string json, string body)
    {
        var parsed = Reading.Frame(json);
        Assert.Equal((FrameType.Error, 9), (parsed.Frame.Type, parsed.Frame.Id));
        Assert.Equal(body, parsed.Body);
    }

    [Theory]
    [InlineData("""{"type":"subscribed","id":1,"subscriptions":[{"sid":"sub_1","channel":"orderbook_delta","market_tickers":["DUMMY_TEST"]}]}""", FrameType.Subscribed)]
    [InlineData("""{"type":"unsubscribed","id":1,"success":true}""", FrameType.Unsubscribed)]
    [InlineData("""{"type":"subscription_updated","id":1,"subscriptions":[{"sid":"sub_1"}]}""", FrameType.Ok)]
    [InlineData("""{"id":1,"status":"success","sids":["sub-123"]}""", FrameType.Ok)]
    [InlineData("""{"id":1,"type":"subscribed","sid":"sub_1","seq":"5"}""", FrameType.Subscribed)]
    public void Acknowledgements_with_text_for_subscription_ids_have_no_number(string json, FrameType type)
    {
        var parsed = Reading.Frame(json);
        Assert.Equal((type, 1, 0, null), (parsed.Frame.Type, parsed.Frame.Id, parsed.Frame.Sid, parsed.Frame.Seq));
    }

    [Fact]
    public void A_frame_of_no_type_is_unknown_and_nameless()
    {
        var parsed = Reading.Frame("{}");
        Assert.Equal(FrameType.Unknown, parsed.Frame.Type);
        Assert.Equal("", parsed.TypeName);
        Assert.Equal(FrameType.Unknown, Reading.Frame("""{"type":42,"msg":{"status":"x"}}""").Frame.Type);
    }

    [Theory]
    [InlineData("client_order_id", "\"mine\"")]
    [InlineData("subaccount", "3")]
    [InlineData("subaccount", "null")]
    public void Fields_of_the_connected_account_are_noticed(string key, string value)
    {
        Assert.True(Reading.Frame($$$"""{"type":"orderbook_delta","msg":{"side":"yes","{{{key}}}":{{{value}}}}}""").Frame.HasPrivateFields);
        Assert.True(Reading.Frame($$$"""{"{{{key}}}":{{{value}}},"channel":"orderbook_delta"}""").Frame.HasPrivateFields);
    }

    [Theory]
    [InlineData("""{"\u0074ype":"fill","msg":{}}""")]
    [InlineData("""{"type":"orderbook_delta","msg":{"client_order\u005fid":"mine"}}""")]
    [InlineData("""{"type":"orderbook_delta","msg":{"\ud800":1}}""")]
    public void A_key_written_with_escapes_is_refused_since_it_could_hide_a_private_field(string json) =>
        Assert.Contains("keys", Reading.Refusal(json), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"type":"fi\u006cl"}""", "type")]
    [InlineData("""{"type":"a:b"}""", "type")]
    [InlineData("""{"channel":"trade\""}""", "channel")]
    [InlineData("""{"type":"trade","msg":{"market_ticker":"A\",\"x\":\"B"}}""", "market ticker")]
    [InlineData("""{"type":"trade","msg":{"market_ticker":"A:trade"}}""", "market ticker")]
    [InlineData("""{"type":"trade","msg":{"marketTicker":"*"}}""", "market ticker")]
    [InlineData("""{"channel":"trade","market_ticker":"A B"}""", "market ticker")]
    [InlineData("""{"channel":"trade","market_ticker":"Ä"}""", "market ticker")]
    public void A_name_that_could_break_out_of_a_channel_name_is_refused(string json, string what) =>
        Assert.Contains(what, Reading.Refusal(json), StringComparison.Ordinal);

    [Fact]
    public void Escapes_in_other_text_are_passed_through()
    {
        var parsed = Reading.Frame("""{"type":"event_lifecycle","msg":{"title":"\u00fcber \"all\" \\ \ud83d\ude00 ü😀","additional":{"a\"b":1}}}""");
        Assert.Contains("""\u00fcber \"all\" \\ \ud83d\ude00 ü😀""", parsed.Json, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{\"type\":\"ok\"}{}")]
    [InlineData("{\"type\":\"ok\"} x")]
    [InlineData("{\"type\":\"ok\",}")]
    [InlineData("{'type':'ok'}")]
    [InlineData("{\"type\":\"ok\"/**/}")]
    [InlineData("\uFEFF{\"type\":\"ok\"}")]
    public void What_is_not_one_object_is_refused_with_a_reason(string json) => Assert.NotEqual("", Reading.Refusal(json));

    [Fact]
    public void Text_that_is_not_UTF_8_is_refused()
    {
        byte[] bytes = [.. "{\"type\":\"trade\",\"msg\":{\"title\":\""u8, 0xC3, 0x28, .. "\"}}"u8];
        Assert.Contains("UTF-8", Reading.Refusal(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_is_read_to_a_sensible_depth_and_refused_beyond()
    {
        static string Nested(int depth) => $$$"""{"type":"x","msg":{"deep":{{{new string('[', depth)}}}{{{new string(']', depth)}}}}}""";
        Assert.Equal("x", Reading.Frame(Nested(60)).TypeName);
        Reading.Refusal(Nested(63));
        Reading.Refusal(Nested(100_000));
        Reading.Refusal(string.Concat(Enumerable.Repeat("{\"msg\":", 100_000)));
    }
}
