using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>What the first mock exchange spoke (protocol reference, section 2.2), form A, with its oddities.</summary>
public class SeedDialectTests
{
    private const string Books = "\"orderbook_snapshot\",\"orderbook_delta\"";

    [Fact]
    public async Task A_subscription_is_acknowledged_with_a_text_sid_for_each_channel_then_snapshot_and_ticker_come()
    {
        await using var exchange = await StartStillAsync();
        string[] tickers = (await exchange.TickersAsync())[..2];
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync(Subscribe(1, "\"orderbook_snapshot\",\"ticker\",\"anything\"", tickers));
        var frames = await client.ReceiveAsync(5);

        string list = string.Join(',', tickers.Select(ticker => $"\"{ticker}\""));
        Assert.Equal(
            $$$"""{"type":"subscribed","id":1,"subscriptions":[{"sid":"sub_1","channel":"orderbook_snapshot","market_tickers":[{{{list}}}]},{"sid":"sub_2","channel":"ticker","market_tickers":[{{{list}}}]},{"sid":"sub_3","channel":"anything","market_tickers":[{{{list}}}]}]}""",
            frames[0].Text);
        Assert.Equal(["orderbook_snapshot", "ticker", "orderbook_snapshot", "ticker"], frames.Skip(1).Select(frame => frame.Type));
        Assert.Equal([1L, 2, 3, 4], frames.Skip(1).Select(frame => frame.Seq!.Value));
        Assert.All(frames.Skip(1), frame => Assert.Null(frame.Json["sid"]));
    }

    [Fact]
    public async Task A_snapshot_lists_ten_levels_YES_best_first_and_NO_lowest_first()
    {
        await using var exchange = await StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        string[] tickers = await exchange.TickersAsync();
        await client.SendAsync(Subscribe(1, "\"orderbook_snapshot\",\"ticker\"", tickers));
        var frames = (await client.ReceiveAsync(1 + 2 * tickers.Length)).Skip(1).ToList();

        for (int i = 0; i < tickers.Length; i++)
        {
            var book = (await exchange.GetAsync($"markets/{tickers[i]}/orderbook"))["orderbook_fp"]!;
            var (yes, no) = (Cents(book["yes_dollars"]!), Cents(book["no_dollars"]!));
            Assert.Equal(yes.Reverse().Take(10), Levels(frames[2 * i].Message["yes"]!));
            Assert.Equal(no.Take(10), Levels(frames[2 * i].Message["no"]!));
            var ticker = frames[2 * i + 1].Message;
            Assert.Equal($$$"""{"marketTicker":"{{{tickers[i]}}}","lastPrice":null,"volume":0,"bestBid":{{{yes[^1].Price}}},"bestAsk":{{{100 - no[0].Price}}}}""", ticker.ToJsonString());
        }
    }

    [Fact]
    public async Task Every_tenth_change_is_a_snapshot_and_the_next_brings_the_whole_book_again()
    {
        await using var exchange = await StartAsync();
        string ticker = (await exchange.TickersAsync())[0];
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(Subscribe(1, Books, ticker));
        var frames = (await client.ReceiveAsync(400)).Skip(2).ToList();

        var runs = frames.Select((frame, index) => (frame.Type, index)).Where(pair => pair.Type == "orderbook_snapshot").Select(pair => pair.index).ToList();
        Assert.True(runs.Count > 20);
        Assert.Equal(Enumerable.Range(0, runs.Count).Select(run => 10 * run + 9), runs);
        // On top of the snapshot: a level that the snapshot has too comes a second time, in full.
        var repeated = runs.SkipLast(1).Where(index => Levels(frames[index].Message[(string)frames[index + 1].Message["side"]!]!)
            .Contains(((int)frames[index + 1].Message["price"]!, (long)frames[index + 1].Message["delta"]!)));
        Assert.True(repeated.Count() > runs.Count / 2);

        Assert.All(frames.Where(frame => frame.Type == "orderbook_delta"), frame => Assert.Equal(["market_ticker", "price", "delta", "side"], frame.Message.AsObject().Select(field => field.Key)));
    }

    [Fact]
    public async Task After_the_start_the_first_change_brings_the_whole_book_as_positive_changes()
    {
        await using var exchange = await StartAsync("--markets", "1");
        string ticker = (await exchange.TickersAsync())[0];
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(Subscribe(1, Books, ticker));
        var frames = await client.ReceiveAsync(11);

        Assert.All(frames.Skip(2), frame => Assert.True(frame.Type == "orderbook_delta" && (long)frame.Message["delta"]! > 0, frame.Text));
        int[] prices = frames.Skip(2).Where(frame => (string)frame.Message["side"]! == "yes").Select(frame => (int)frame.Message["price"]!).ToArray();
        Assert.Equal(prices.Order(), prices);
    }

    [Theory]
    [InlineData("orderbook_delta")]
    [InlineData("trade")]
    public async Task A_channel_brings_its_own_frames_only(string channel)
    {
        await using var exchange = await StartAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(Subscribe(1, $"\"{channel}\"", await exchange.TickersAsync()));

        Assert.All((await client.ReceiveAsync(30)).Skip(1), frame => Assert.Equal(channel, frame.Type));
    }

    [Fact]
    public async Task One_count_runs_over_all_sessions_and_both_hear_the_same_frame_of_an_event()
    {
        await using var exchange = await StartAsync("--rate", "500");
        string[] tickers = (await exchange.TickersAsync())[..2];
        await using var first = await exchange.ConnectAsync();
        await using var second = await exchange.ConnectAsync();
        await first.SendAsync(Subscribe(1, "\"orderbook_delta\"", tickers[0]));
        Assert.Equal("subscribed", (await first.ReceiveAsync()).Type);
        await second.SendAsync(Subscribe(1, "\"orderbook_delta\"", tickers));
        Assert.Equal("subscribed", (await second.ReceiveAsync()).Type);
        // Until it has heard enough of both: a burst in one market can fill many frames.
        var all = new List<Frame>();
        while (tickers.Any(ticker => all.Count(frame => frame.Ticker == ticker) < 50)) all.Add(await second.ReceiveAsync());
        var shared = all.Where(frame => frame.Ticker == tickers[0]).ToList();
        var heard = await first.ReceiveUntilAsync(frame => frame.Seq >= shared[^1].Seq);

        Assert.Equal(Enumerable.Range(0, all.Count).Select(i => all[0].Seq + i), all.Select(frame => frame.Seq));
        Assert.Equal(shared.Select(frame => frame.Text), heard.Where(frame => frame.Seq >= shared[0].Seq).Select(frame => frame.Text));
    }

    [Fact]
    public async Task A_trade_is_told_in_cents_with_its_time_and_followed_by_a_ticker()
    {
        await using var exchange = await StartAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(Subscribe(1, "\"trade\",\"ticker\"", await exchange.TickersAsync()));
        var frames = await client.ReceiveUntilAsync(frame => frame.Type == "trade");

        var (trade, ticker) = (frames[^1].Message, (await client.ReceiveAsync()).Message);

        Assert.Equal(["market_ticker", "price", "count", "side", "created_time", "trade_id"], trade.AsObject().Select(field => field.Key));
        Assert.Equal((trade["price"]!.ToString(), trade["count"]!.ToString()), (ticker["lastPrice"]!.ToString(), ticker["volume"]!.ToString()));
        Assert.InRange((int)trade["price"]!, 1, 99);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", (string)trade["created_time"]!);
    }

    [Fact]
    public async Task An_update_replaces_the_list_of_markets()
    {
        await using var exchange = await StartAsync("--rate", "2000");
        string[] tickers = (await exchange.TickersAsync())[..2];
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(Subscribe(1, "\"orderbook_delta\"", tickers[0]));
        await client.ReceiveAsync(5);

        await client.SendAsync($$$"""{"id":4,"cmd":"update_subscription","params":{"sid":"sub_1","market_tickers":["{{{tickers[1]}}}"]}}""");
        var updated = (await client.ReceiveUntilAsync(frame => frame.Type == "subscription_updated"))[^1];
        var frames = await client.ReceiveAsync(20);

        Assert.Equal(
            $$$"""{"type":"subscription_updated","id":4,"subscriptions":[{"sid":"sub_1","channel":"orderbook_delta","market_tickers":["{{{tickers[1]}}}"]}]}""", updated.Text);
        Assert.All(frames, frame => Assert.Equal(tickers[1], frame.Ticker));
    }

    [Fact]
    public async Task After_unsubscribing_nothing_comes()
    {
        await using var exchange = await StartAsync("--rate", "2000");
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(Subscribe(1, Books, await exchange.TickersAsync()));
        await client.ReceiveAsync(5);

        await client.SendAsync("""{"id":3,"cmd":"unsubscribe","params":{"sids":["sub_1","sub_2"]}}""");
        Assert.Equal("""{"type":"unsubscribed","id":3,"success":true}""", (await client.ReceiveUntilAsync(frame => frame.Type == "unsubscribed"))[^1].Text);

        Assert.Equal("error", (await client.AskAsync("""{"id":9,"cmd":"foo","params":{}}""")).Type);
    }

    [Theory]
    [InlineData("""{"id":9,"cmd":"foo","params":{}}""", """{"type":"error","id":9,"msg":"Unknown command: foo"}""")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["trade"]}}""", """{"type":"error","msg":"Invalid message format: market_tickers required"}""")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["trade"],"market_tickers":[]}}""", """{"type":"error","msg":"Invalid message format: market_tickers required"}""")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":[null],"market_tickers":["A"]}}""", """{"type":"error","msg":"Invalid message format: channels required"}""")]
    [InlineData("""{"id":9,"cmd":"update_subscription","params":{"sid":"sub_7","market_tickers":["A"]}}""", """{"type":"error","id":9,"msg":"Unknown subscription: sub_7"}""")]
    public async Task An_error_is_told_as_a_text(string command, string error)
    {
        await using var exchange = await StartStillAsync();
        await using var client = await exchange.ConnectAsync();

        Assert.Equal(error, (await client.AskAsync(command)).Text);
    }

    [Theory]
    [InlineData("{bad json")]
    [InlineData("null")]
    [InlineData("""{"id":9,"cmd":"unsubscribe","params":{"sids":[1]}}""")]
    public async Task What_is_no_command_is_told_without_an_id(string text)
    {
        await using var exchange = await StartStillAsync();
        await using var client = await exchange.ConnectAsync();

        var error = await client.AskAsync(text);

        Assert.Equal(("error", null), (error.Type, error.Id));
        Assert.StartsWith("Invalid message format: ", (string)error.Message!, StringComparison.Ordinal);
        Assert.Equal("error", (await client.AskAsync("""{"id":9,"cmd":"foo","params":{}}""")).Type);
    }

    [Fact]
    public async Task More_markets_than_allowed_are_refused_and_what_there_was_goes_on()
    {
        await using var exchange = await MockExchange.StartStillAsync("--dialect", "seed", "--Connection:MaxMarketsPerSubscription", "3");
        string[] tickers = (await exchange.TickersAsync())[..4];
        await using var client = await exchange.ConnectAsync();
        const string refused = """{"type":"error","id":9,"msg":"Subscription market limit exceeded"}""";

        Assert.Equal(refused, (await client.AskAsync(Subscribe(9, Books, tickers[..2]))).Text);
        Assert.Equal("subscribed", (await client.AskAsync(Subscribe(1, "\"trade\"", tickers[0], tickers[0]))).Type);
        Assert.Equal(refused, (await client.AskAsync(Subscribe(9, "\"trade\"", tickers[1..]))).Text);
        string list = string.Join(',', tickers.Select(ticker => $"\"{ticker}\""));
        Assert.Equal(refused, (await client.AskAsync($$$"""{"id":9,"cmd":"update_subscription","params":{"sid":"sub_1","market_tickers":[{{{list}}}]}}""")).Text);
        Assert.Equal("subscribed", (await client.AskAsync(Subscribe(2, "\"trade\"", tickers[1..3]))).Type);
    }

    [Fact]
    public async Task No_Pings_come()
    {
        await using var exchange = await StartAsync("--rate", "200", "--Connection:PingInterval", "00:00:00.010");
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);
        await client.SendTextAsync(Subscribe(1, Books, await exchange.TickersAsync()));

        for (int i = 0; i < 100; i++) Assert.Equal(RawClient.TextMessage, (await client.ReceiveAsync()).Opcode);
    }

    [Fact]
    public async Task A_reader_too_slow_loses_its_subscriptions_and_is_told_so()
    {
        await using var exchange = await StartAsync("--rate", "50000", "--Connection:StreamBuffer", "1000");
        string[] tickers = await exchange.TickersAsync();
        await using var slow = await exchange.ConnectAsync();
        await slow.SendAsync(Subscribe(1, "\"orderbook_delta\"", tickers));
        await using var other = await exchange.ConnectAsync();
        await other.SendAsync(Subscribe(1, "\"trade\"", tickers));
        await other.ReceiveAsync(10_000);

        var frames = await slow.ReceiveUntilAsync(frame => frame.Type == "error");

        Assert.Equal("""{"type":"error","msg":"Subscription buffer overflow"}""", frames[^1].Text);
        Assert.Equal("error", (await slow.AskAsync("""{"id":9,"cmd":"foo","params":{}}""")).Type);
    }

    private static Task<MockExchange> StartAsync(params string[] arguments) =>
        MockExchange.StartAsync(["--dialect", "seed", "--markets", "4", "--rate", "1000", .. arguments]);

    private static Task<MockExchange> StartStillAsync() => MockExchange.StartStillAsync("--dialect", "seed");

    internal static string Subscribe(int id, string channels, params string[] tickers) =>
        $$$"""{"id":{{{id}}},"cmd":"subscribe","params":{"channels":[{{{channels}}}],"market_tickers":[{{{string.Join(',', tickers.Select(ticker => $"\"{ticker}\""))}}}]}}""";

    private static (int Price, long Count)[] Cents(JsonNode levels) => levels.AsArray()
        .Select(level => ((int)(decimal.Parse((string)level![0]!, null) * 100), (long)decimal.Parse((string)level[1]!, null))).ToArray();

    private static IEnumerable<(int, long)> Levels(JsonNode levels) => levels.AsArray().Select(level => ((int)level![0]!, (long)level[1]!));
}
