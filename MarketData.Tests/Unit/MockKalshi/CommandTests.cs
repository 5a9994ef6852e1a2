using System.Net.WebSockets;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>Commands and their replies (protocol reference, sections 1.4 and 1.5).</summary>
public class CommandTests
{
    [Fact]
    public async Task Each_channel_is_acknowledged_for_itself_with_sids_from_one()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync("""{"id":5,"cmd":"subscribe","params":{"channels":["trade","ticker","market_lifecycle_v2"]}}""");
        var replies = await client.ReceiveAsync(3);

        Assert.Equal(
            [
                """{"id":5,"type":"subscribed","msg":{"channel":"trade","sid":1}}""",
                """{"id":5,"type":"subscribed","msg":{"channel":"ticker","sid":2}}""",
                """{"id":5,"type":"subscribed","msg":{"channel":"market_lifecycle_v2","sid":3}}""",
            ],
            replies.Select(reply => reply.Text));
    }

    [Fact]
    public async Task Sids_and_sequence_numbers_belong_to_the_connection()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string ticker = (await exchange.TickersAsync())[0];
        for (int connection = 0; connection < 2; connection++)
        {
            await using var client = await exchange.ConnectAsync();
            var snapshot = (await SubscribeToBooksAsync(client, ticker))[^1];
            Assert.Equal((1, 1L), (snapshot.Sid!.Value, snapshot.Seq!.Value));
        }
    }

    [Fact]
    public async Task A_book_subscription_answers_with_one_numbered_snapshot_for_each_market_in_the_order_asked_for()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = (await exchange.TickersAsync()).Reverse().Take(3).ToArray();
        await using var client = await exchange.ConnectAsync();

        var frames = await SubscribeToBooksAsync(client, tickers);

        Assert.Equal("subscribed", frames[0].Type);
        Assert.All(frames.Skip(1), frame => Assert.Equal("orderbook_snapshot", frame.Type));
        Assert.Equal(tickers, frames.Skip(1).Select(frame => frame.Ticker));
        Assert.Equal([1, 2, 3], frames.Skip(1).Select(frame => frame.Seq));
        Assert.All(frames.Skip(1), frame => Assert.Null(frame.Id));
    }

    [Fact]
    public async Task A_second_subscribe_is_merged_into_the_first_and_only_new_markets_get_a_snapshot()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = (await exchange.TickersAsync())[..3];
        await using var client = await exchange.ConnectAsync();
        await SubscribeToBooksAsync(client, tickers[2], tickers[0]);

        var ok = await client.AskAsync(Subscribe(8, tickers[0], tickers[1]));
        var rest = await client.ReceiveAllSoFarAsync();

        Assert.Equal(("ok", 8, 1, 3L), (ok.Type, ok.Id!.Value, ok.Sid!.Value, ok.Seq!.Value));
        Assert.Equal(tickers.Order(StringComparer.Ordinal), ok.Tickers);
        var snapshot = Assert.Single(rest);
        Assert.Equal((tickers[1], 4L), (snapshot.Ticker, snapshot.Seq!.Value));
    }

    [Fact]
    public async Task Adding_markets_is_acknowledged_with_the_whole_sorted_list_before_their_snapshots()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = (await exchange.TickersAsync())[..3];
        await using var client = await exchange.ConnectAsync();
        await SubscribeToBooksAsync(client, tickers[2]);

        await client.SendAsync(Update(4, "add_markets", tickers[1], tickers[0]));
        var frames = await client.ReceiveAsync(3);

        Assert.Equal(["ok", "orderbook_snapshot", "orderbook_snapshot"], frames.Select(frame => frame.Type));
        Assert.Equal([2, 3, 4], frames.Select(frame => frame.Seq));
        Assert.Equal(tickers.Order(StringComparer.Ordinal), frames[0].Tickers);
    }

    [Fact]
    public async Task Deleting_and_adding_a_market_gives_a_fresh_snapshot_and_the_numbers_go_on()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = (await exchange.TickersAsync())[..2];
        await using var client = await exchange.ConnectAsync();
        await SubscribeToBooksAsync(client, tickers);

        var deleted = await client.AskAsync(Update(4, "delete_markets", tickers[0]));
        await client.SendAsync(Update(5, "add_markets", tickers[0]));
        var added = await client.ReceiveAsync(2);

        Assert.Equal(("ok", 3L), (deleted.Type, deleted.Seq!.Value));
        Assert.Equal([tickers[1]], deleted.Tickers);
        Assert.Equal([4, 5], added.Select(frame => frame.Seq));
        Assert.Equal(("orderbook_snapshot", tickers[0]), (added[1].Type, added[1].Ticker));
    }

    [Fact]
    public async Task A_requested_snapshot_carries_the_command_id_and_there_is_no_other_reply()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = (await exchange.TickersAsync())[..2];
        await using var client = await exchange.ConnectAsync();
        var subscribed = await SubscribeToBooksAsync(client, tickers);

        await client.SendAsync(Update(6, "get_snapshot", tickers[1], tickers[0]));
        var answers = await client.ReceiveAllSoFarAsync();

        Assert.Equal([tickers[1], tickers[0]], answers.Select(answer => answer.Ticker));
        Assert.All(answers, answer => Assert.Equal(("orderbook_snapshot", 6), (answer.Type, answer.Id!.Value)));
        Assert.Equal([3, 4], answers.Select(answer => answer.Seq));
        Assert.Equal(subscribed[1].Message.ToJsonString(), answers[1].Message.ToJsonString());
    }

    [Fact]
    public async Task Unsubscribing_consumes_a_number_and_subscribing_again_gives_a_new_sid_from_one()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string ticker = (await exchange.TickersAsync())[0];
        await using var client = await exchange.ConnectAsync();
        await SubscribeToBooksAsync(client, ticker);

        var unsubscribed = await client.AskAsync("""{"id":3,"cmd":"unsubscribe","params":{"sids":[1]}}""");
        var again = await SubscribeToBooksAsync(client, ticker);

        Assert.Equal("""{"id":3,"type":"unsubscribed","sid":1,"seq":2}""", unsubscribed.Text);
        Assert.Equal(2, (int)again[0].Message["sid"]!);
        Assert.Equal((2, 1L), (again[1].Sid!.Value, again[1].Seq!.Value));
    }

    [Fact]
    public async Task Listing_gives_the_open_subscriptions_as_an_array_without_a_number()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        Assert.Equal("""{"id":1,"type":"ok","msg":[]}""", (await client.AskAsync("""{"id":1,"cmd":"list_subscriptions"}""")).Text);
        await client.AskAsync("""{"id":2,"cmd":"subscribe","params":{"channels":["trade"]}}""");
        await client.AskAsync("""{"id":3,"cmd":"subscribe","params":{"channels":["ticker"]}}""");

        var list = await client.AskAsync("""{"id":7,"cmd":"list_subscriptions"}""");

        Assert.Equal("""{"id":7,"type":"ok","msg":[{"channel":"trade","sid":1},{"channel":"ticker","sid":2}]}""", list.Text);
    }

    [Fact]
    public async Task Acks_leave_out_the_tickers_when_asked_to()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = (await exchange.TickersAsync())[..2];
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync($$$"""{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_ticker":"{{{tickers[0]}}}","skip_ticker_ack":true}}""");
        await client.ReceiveAsync(2);

        var ok = await client.AskAsync(Update(2, "add_markets", tickers[1]));

        Assert.Equal("""{"id":2,"type":"ok","sid":1,"seq":2,"msg":{}}""", ok.Text);
    }

    [Fact]
    public async Task An_unknown_market_gives_an_empty_snapshot_with_an_empty_id()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();

        var frames = await SubscribeToBooksAsync(client, "KXNOSUCH-26NOV22-T1");

        Assert.Equal(
            """{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{"market_ticker":"KXNOSUCH-26NOV22-T1","market_id":""}}""", frames[1].Text);
    }

    [Fact]
    public async Task With_yes_prices_the_NO_levels_are_mirrored_and_descend()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string ticker = (await exchange.TickersAsync())[0];
        await using var client = await exchange.ConnectAsync();
        await using var mirrored = await exchange.ConnectAsync();

        var plain = (await SubscribeToBooksAsync(client, ticker))[1].Message;
        await mirrored.SendAsync($$$"""{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_ticker":"{{{ticker}}}","use_yes_price":true}}""");
        var yesPriced = (await mirrored.ReceiveAsync(2))[1].Message;

        Assert.Equal(plain["yes_dollars_fp"]!.ToJsonString(), yesPriced["yes_dollars_fp"]!.ToJsonString());
        Assert.Equal(
            plain["no_dollars_fp"]!.AsArray().Select(level => (1 - decimal.Parse((string)level![0]!, null), (string)level[1]!)),
            yesPriced["no_dollars_fp"]!.AsArray().Select(level => (decimal.Parse((string)level![0]!, null), (string)level[1]!)));
    }

    [Fact]
    public async Task Ticker_frames_come_at_once_when_asked_for_and_carry_no_number()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = (await exchange.TickersAsync())[..2];
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync($$$"""{"id":1,"cmd":"subscribe","params":{"channels":["ticker"],"market_tickers":["{{{tickers[0]}}}","{{{tickers[1]}}}"],"send_initial_snapshot":true}}""");
        var frames = await client.ReceiveAsync(3);

        Assert.Equal(["subscribed", "ticker", "ticker"], frames.Select(frame => frame.Type));
        Assert.Equal(tickers, frames.Skip(1).Select(frame => frame.Ticker));
        Assert.All(frames.Skip(1), frame => Assert.Equal((1, null), (frame.Sid!.Value, frame.Seq)));
    }

    [Fact]
    public async Task A_ticker_subscription_may_name_markets_by_id()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string ticker = (await exchange.TickersAsync())[3];
        await using var client = await exchange.ConnectAsync();
        string id = (string)(await SubscribeToBooksAsync(client, ticker))[1].Message["market_id"]!;

        await client.SendAsync($$$"""{"id":2,"cmd":"subscribe","params":{"channels":["ticker"],"market_id":"{{{id}}}","send_initial_snapshot":true}}""");
        var frames = await client.ReceiveAllSoFarAsync();

        Assert.Equal(ticker, Assert.Single(frames, frame => frame.Type == "ticker").Ticker);
    }

    [Fact]
    public async Task An_id_of_zero_counts_as_absent()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();

        var reply = await client.AskAsync("""{"id":0,"cmd":"list_subscriptions"}""");

        Assert.Equal("""{"type":"ok","msg":[]}""", reply.Text);
    }

    [Fact]
    public async Task The_close_code_of_the_client_comes_back()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();

        await client.Socket.CloseAsync((WebSocketCloseStatus)4321, "done", TestContext.Current.CancellationToken);

        Assert.Equal((WebSocketCloseStatus)4321, client.Socket.CloseStatus);
    }

    internal static string Subscribe(int id, params string[] tickers) =>
        $$$"""{"id":{{{id}}},"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_tickers":[{{{Quoted(tickers)}}}]}}""";

    internal static string Update(int id, string action, params string[] tickers) =>
        $$$"""{"id":{{{id}}},"cmd":"update_subscription","params":{"sids":[1],"action":"{{{action}}}","market_tickers":[{{{Quoted(tickers)}}}]}}""";

    /// <summary>Subscribes and gives the ack and the snapshots.</summary>
    internal static async Task<List<Frame>> SubscribeToBooksAsync(ExchangeClient client, params string[] tickers)
    {
        await client.SendAsync(Subscribe(1, tickers));
        return await client.ReceiveAsync(1 + tickers.Length);
    }

    private static string Quoted(string[] tickers) => string.Join(',', tickers.Select(ticker => $"\"{ticker}\""));
}
