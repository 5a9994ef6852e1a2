namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>The channels (protocol reference, section 1.7) and what they are filtered by.</summary>
public class ChannelTests
{
    [Theory]
    [InlineData("orderbook_delta")]
    [InlineData("ticker")]
    [InlineData("trade")]
    [InlineData("market_lifecycle_v2")]
    [InlineData("multivariate_market_lifecycle")]
    [InlineData("fill")]
    [InlineData("market_positions")]
    [InlineData("user_orders")]
    [InlineData("communications")]
    [InlineData("order_group_updates")]
    [InlineData("cfbenchmarks_value")]
    [InlineData("cfbenchmarks_value_5hz")]
    [InlineData("pyth_value")]
    public async Task Every_channel_can_be_subscribed_and_ended(string channel)
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        string markets = channel == "orderbook_delta" ? ""","market_ticker":"KXNOSUCH-26NOV22-T1" """ : "";

        var subscribed = await client.AskAsync($$$"""{"id":1,"cmd":"subscribe","params":{"channels":["{{{channel}}}"]{{{markets}}}}}""");
        if (markets.Length > 0) await client.ReceiveAsync();
        var ended = await client.AskAsync("""{"id":2,"cmd":"unsubscribe","params":{"sids":[1]}}""");

        Assert.Equal($$$"""{"id":1,"type":"subscribed","msg":{"channel":"{{{channel}}}","sid":1}}""", subscribed.Text);
        Assert.Equal(("unsubscribed", 1), (ended.Type, ended.Sid!.Value));
    }

    [Theory]
    [InlineData("fill", "fill", false)]
    [InlineData("market_positions", "market_position", false)]
    [InlineData("user_orders", "user_order", false)]
    [InlineData("communications", "rfq_created", true)]
    [InlineData("communications", "quote_accepted", true)]
    [InlineData("order_group_updates", "order_group_updates", true)]
    [InlineData("multivariate_market_lifecycle", "multivariate_market_lifecycle", true)]
    [InlineData("cfbenchmarks_value", "cfbenchmarks_value", true)]
    [InlineData("cfbenchmarks_value_5hz", "cfbenchmarks_value_5hz", true)]
    [InlineData("pyth_value", "pyth_value", true)]
    [InlineData("market_lifecycle_v2", "event_lifecycle", true)]
    [InlineData("market_lifecycle_v2", "event_fee_update", true)]
    public async Task A_frame_comes_on_the_channel_that_carries_its_type(string channel, string type, bool sequenced)
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "one.jsonl");
        string seq = sequenced ? ""","seq":71""" : "";
        await File.WriteAllTextAsync(file, $$$"""{"type":"{{{type}}}","sid":9{{{seq}}},"msg":{"ts_ms":1}}""" + "\n", TestContext.Current.CancellationToken);
        await using var exchange = await MockExchange.ReplayAsync(file);
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync($$$"""{"id":1,"cmd":"subscribe","params":{"channels":["{{{channel}}}"]}}""");
        var frames = await client.ReceiveAsync(2);

        Assert.Equal((type, 1, sequenced ? 1L : null), (frames[1].Type, frames[1].Sid!.Value, frames[1].Seq));
    }

    [Fact]
    public async Task A_life_cycle_channel_sends_everything_whatever_markets_are_named()
    {
        await using var exchange = await MockExchange.StartStillAsync("--Simulation:ShortMarketLife", "00:00:01");
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"],"market_tickers":["KXNOSUCH-26NOV22-T1"]}}""");

        Assert.Equal("subscribed", (await client.ReceiveAsync()).Type);
        Assert.NotEqual("KXNOSUCH-26NOV22-T1", (await client.ReceiveUntilAsync(frame => frame.Type == "market_lifecycle_v2"))[^1].Ticker);
    }

    [Fact]
    public async Task Without_markets_tickers_and_trades_of_every_market_come()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "2000", "--markets", "4");
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["ticker","trade"]}}""");

        var missing = new[] { "ticker", "trade" }.SelectMany(type => tickers.Select(ticker => (type, ticker))).ToHashSet();
        while (missing.Count > 0)
        {
            if (await client.ReceiveAsync() is { Type: not "subscribed" } frame) missing.Remove((frame.Type, frame.Ticker!));
        }
    }

    [Fact]
    public async Task With_markets_only_their_tickers_and_trades_come()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "2000", "--markets", "4");
        string ticker = (await exchange.TickersAsync())[1];
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync($$$"""{"id":1,"cmd":"subscribe","params":{"channels":["ticker","trade"],"market_ticker":"{{{ticker}}}"}}""");
        var frames = await client.ReceiveAsync(20);

        Assert.All(frames.Skip(2), frame => Assert.Equal(ticker, frame.Ticker));
    }

    [Fact]
    public async Task A_ticker_subscription_may_name_several_markets_by_id_and_an_unknown_id_is_left_out()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = (await exchange.TickersAsync())[..2];
        await using var client = await exchange.ConnectAsync();
        var ids = (await CommandTests.SubscribeToBooksAsync(client, tickers)).Skip(1).Select(frame => (string)frame.Message["market_id"]!).Append(Guid.NewGuid().ToString());

        string list = string.Join(',', ids.Select(id => $"\"{id}\""));
        await client.SendAsync($$$"""{"id":2,"cmd":"subscribe","params":{"channels":["ticker"],"market_ids":[{{{list}}}],"send_initial_snapshot":true}}""");
        var frames = await client.ReceiveAllSoFarAsync();

        Assert.Equal(tickers, frames.Where(frame => frame.Type == "ticker").Select(frame => frame.Ticker));
    }

    [Fact]
    public async Task Without_being_asked_for_no_ticker_frame_comes_at_once()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync("""{"id":2,"cmd":"subscribe","params":{"channels":["ticker"]}}""");

        Assert.Equal("subscribed", Assert.Single(await client.ReceiveAllSoFarAsync()).Type);
    }

    [Theory]
    [InlineData("cfbenchmarks_value", "index_ids", "subscribe_indices", "unsubscribe_indices", "indexlist", 24)]
    [InlineData("cfbenchmarks_value_5hz", "index_ids", "subscribe_indices", "unsubscribe_indices", "indexlist", 24)]
    [InlineData("pyth_value", "underlying_tickers", "subscribe_underlyings", "unsubscribe_underlyings", "underlying_list", 28)]
    public async Task An_index_channel_has_its_own_list_and_actions(string channel, string key, string add, string remove, string list, int missing)
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        await client.AskAsync($$$"""{"id":1,"cmd":"subscribe","params":{"channels":["{{{channel}}}"],"{{{key}}}":["B"]}}""");
        string Action(string action, string parameters = "") => $$$"""{"id":2,"cmd":"update_subscription","params":{"sid":1,"action":"{{{action}}}"{{{parameters}}}}}""";

        Assert.Equal(
            $$$"""{"id":2,"type":"ok","sid":1,"seq":1,"msg":{"{{{key}}}":["A","B"]}}""",
            (await client.AskAsync(Action(add, $",\"{key}\":[\"A\"]"))).Text);
        Assert.Equal(
            $$$"""{"id":2,"type":"ok","sid":1,"seq":2,"msg":{"{{{key}}}":["A"]}}""",
            (await client.AskAsync(Action(remove, $",\"{key}\":[\"B\"]"))).Text);
        Assert.Equal(
            $$$"""{"id":2,"type":"{{{channel}}}_{{{list}}}","sid":1,"seq":3,"msg":{"{{{key}}}":[]}}""", (await client.AskAsync(Action(list))).Text);
        Assert.Equal(
            $$$"""{"id":3,"type":"ok","sid":1,"seq":4,"msg":{"{{{key}}}":["A","C"]}}""",
            (await client.AskAsync($$$"""{"id":3,"cmd":"subscribe","params":{"channels":["{{{channel}}}"],"{{{key}}}":["C"]}}""")).Text);
        Assert.Equal(missing, (await client.AskAsync(Action(add))).Code);
        Assert.Equal(missing, (await client.AskAsync(Action(remove, $",\"{key}\":[]"))).Code);
        Assert.Equal(13, (await client.AskAsync(Action("add_markets", ",\"market_ticker\":\"A\""))).Code);
        Assert.Equal(1, (await client.AskAsync(Action(add, $",\"{key}\":[null]"))).Code);
    }

    [Fact]
    public async Task Index_actions_are_not_for_other_channels()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        await client.AskAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["trade"]}}""");

        Assert.Equal(13, (await client.AskAsync("""{"id":2,"cmd":"update_subscription","params":{"sid":1,"action":"indexlist"}}""")).Code);
    }

    [Fact]
    public async Task Communications_may_be_divided_into_shards()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();

        var reply = await client.AskAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["communications"],"shard_factor":100,"shard_key":99}}""");

        Assert.Equal("subscribed", reply.Type);
    }
}
