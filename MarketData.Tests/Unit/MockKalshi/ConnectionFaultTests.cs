using System.Net;
using System.Net.WebSockets;
using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>Faults of connections, commands, requests and listings.</summary>
public sealed class ConnectionFaultTests
{
    private const string List = """{"id":7,"cmd":"list_subscriptions"}""";

    [Fact]
    public async Task A_server_that_stops_reading_answers_nothing_until_the_fault_is_removed()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        using var deaf = await RawClient.ConnectAsync(exchange.WebSocketAddress);
        await using var other = await exchange.ConnectAsync();
        int fault = await exchange.AddFaultAsync("stop-reading:connection=1");
        await deaf.SendTextAsync(List);
        await deaf.SendAsync(RawClient.Ping, [1, 2, 3]);
        await Eventually.TrueAsync(async () => await exchange.FaultAsync(fault) == "spent 1/1", () => "the fault fires");
        Assert.Equal("ok", (await other.AskAsync(List)).Type);

        await exchange.RemoveFaultAsync(fault);

        // The answers to a command and to a Ping come in either order.
        string? answer = null;
        byte[]? pong = null;
        while (answer is null || pong is null)
        {
            var frame = await deaf.ReceiveAsync();
            if (frame.Opcode == RawClient.TextMessage) answer = frame.Text;
            else if (frame.Opcode == RawClient.Pong) pong = frame.Payload;
        }

        Assert.StartsWith("""{"id":7,"type":"ok",""", answer, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3], pong);
        Assert.Equal("removed 1/1", await exchange.FaultAsync(fault));
    }

    [Fact]
    public async Task A_server_that_stops_reading_for_a_time_goes_on_by_itself()
    {
        await using var exchange = await MockExchange.StartStillAsync("--fault", "stop-reading:milliseconds=100");
        await using var client = await exchange.ConnectAsync();

        Assert.Equal("ok", (await client.AskAsync(List)).Type);

        Assert.Equal("spent 1/1", await exchange.FaultAsync(1));
    }

    [Fact]
    public async Task A_server_that_stops_pinging_pings_again_when_the_fault_is_removed()
    {
        await using var exchange = await MockExchange.StartStillAsync("--Connection:PingInterval", "00:00:00.02", "--fault", "stop-pinging");
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);
        await Eventually.TrueAsync(async () => (long)(await exchange.FaultsAsync())[0]!["fired"]! >= 3, () => "three Pings stay away");

        // The first frame to come is this answer, although several Pings were due before it.
        await client.SendTextAsync(List);
        Assert.Equal(RawClient.TextMessage, (await client.ReceiveAsync()).Opcode);
        await exchange.RemoveFaultAsync(1);

        Assert.Equal("heartbeat", (await client.ReceiveAsync(RawClient.Ping)).Text);
    }

    [Fact]
    public async Task A_delayed_command_is_acknowledged_late_and_data_go_on_meanwhile()
    {
        await using var exchange = await MockExchange.StartAsync("--markets", "12", "--rate", "1000");
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        await CommandTests.SubscribeToBooksAsync(client, tickers[..6]);
        await exchange.AddFaultAsync("delay-ack:milliseconds=300");

        await client.SendAsync(CommandTests.Update(3, "add_markets", tickers[6..]));
        var frames = await client.ReceiveUntilAsync(frame => frame.Id == 3);

        // 300 ms at some 500 changes a second, of which one at least came before the acknowledgement; no number is missing.
        Assert.Contains(frames, frame => frame.Type == "orderbook_delta");
        Assert.Equal("ok", frames[^1].Type);
        Assert.Equal(Enumerable.Range(7, frames.Count).Select(seq => (long)seq), frames.Select(frame => frame.Seq!.Value));
    }

    [Fact]
    public async Task Commands_behind_a_delayed_one_keep_their_order_also_in_a_replay()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "one.jsonl");
        await File.WriteAllTextAsync(file, """{"type":"trade","sid":1,"msg":{"market_ticker":"KXA-1"}}""", TestContext.Current.CancellationToken);
        await using var exchange = await MockExchange.ReplayAsync(file, 0, "--fault", "delay-ack:milliseconds=100");
        await using var client = await exchange.ConnectAsync();

        for (int id = 1; id <= 3; id++) await client.SendAsync($$"""{"id":{{id}},"cmd":"list_subscriptions"}""");

        Assert.Equal([1, 2, 3], (await client.ReceiveAsync(3)).Select(frame => frame.Id!.Value));
        Assert.Equal("spent 1/1", await exchange.FaultAsync(1));
    }

    [Theory]
    [InlineData(10, "Channel error")]
    [InlineData(25, "Subscription buffer overflow")]
    public async Task An_error_ends_a_subscription_with_its_next_number_and_a_new_one_can_be_opened(int code, string text)
    {
        await using var exchange = await MockExchange.StartAsync("--markets", "12", "--rate", "2000", "--fault", $"error:code={code},channel=orderbook_delta,after=100");
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync($$$"""{"id":1,"cmd":"subscribe","params":{"channels":["trade"]}}""");
        await client.ReceiveAsync();
        await client.SendAsync(CommandTests.Subscribe(2, tickers));

        var frames = await client.ReceiveUntilAsync(frame => frame.Type == "error");

        var error = frames[^1];
        Assert.Equal((code, text, 2, tickers.Length + 101), (error.Code, (string)error.Message["msg"]!, error.Sid!.Value, (int)error.Seq!.Value));
        var listed = (await client.AskUntilAsync(List, id: 7)).Message.AsArray();
        Assert.Equal("trade", (string)Assert.Single(listed)!["channel"]!);
        var again = await client.AskUntilAsync(CommandTests.Subscribe(9, tickers[0]), id: 9);
        Assert.Equal(3, (int)again.Message["sid"]!);
    }

    [Fact]
    public async Task An_error_ends_a_played_subscription_too()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "trades.jsonl");
        await File.WriteAllLinesAsync(
            file, Enumerable.Repeat("""{"type":"trade","sid":1,"seq":5,"msg":{"market_ticker":"KXA-1"}}""", 10), TestContext.Current.CancellationToken);
        await using var exchange = await MockExchange.ReplayAsync(file, 0, "--fault", "error:code=10,after=4");
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["trade"]}}""");
        await client.ReceiveAsync();

        var frames = await client.ReceiveAsync(5);

        Assert.Equal(["trade", "trade", "trade", "trade", "error"], frames.Select(frame => frame.Type));
        Assert.Equal((10, 5L), (frames[4].Code, frames[4].Seq!.Value));
        Assert.Empty(await client.ReceiveAllSoFarAsync());
    }

    [Theory]
    [InlineData(26, "Subscription market limit exceeded")]
    [InlineData(27, "Too many requests")]
    public async Task A_refused_command_gets_the_error_with_its_id_and_changes_nothing(int code, string text)
    {
        await using var exchange = await MockExchange.StartStillAsync("--fault", $"error:code={code},after=1");
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        await CommandTests.SubscribeToBooksAsync(client, tickers[0]);

        var refused = await client.AskAsync(CommandTests.Update(5, "add_markets", tickers[1]));
        var accepted = await client.AskAsync(CommandTests.Update(6, "add_markets", tickers[2]));

        Assert.Equal($$$"""{"id":5,"type":"error","msg":{"code":{{{code}}},"msg":"{{{text}}}"}}""", refused.Text);
        Assert.Equal([tickers[0], tickers[2]], accepted.Tickers);
        Assert.Equal(2, accepted.Seq);
    }

    [Theory]
    [InlineData(401, """{"code":"authentication_error","details":"NOT_FOUND"}""")]
    [InlineData(429, """{"error":"too many requests"}""")]
    [InlineData(503, """{"error":{"code":"service_unavailable","message":"the exchange is not available","service":"exchange"}}""")]
    public async Task A_refused_request_gets_the_exchanges_body_and_the_next_is_served(int status, string body)
    {
        await using var exchange = await MockExchange.StartStillAsync("--fault", $"rest-status:status={status},path=/trade-api/v2/markets");

        using var untouched = await exchange.Http.GetAsync("exchange/status", TestContext.Current.CancellationToken);
        using var refused = await exchange.Http.GetAsync("markets?limit=1", TestContext.Current.CancellationToken);
        using var served = await exchange.Http.GetAsync("markets?limit=1", TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.OK, (HttpStatusCode)status, HttpStatusCode.OK), (untouched.StatusCode, refused.StatusCode, served.StatusCode));
        Assert.Equal(body, await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("application/json", refused.Content.Headers.ContentType?.MediaType);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_refused_handshake_upgrades_nothing_and_REST_is_not_concerned(int status)
    {
        await using var exchange = await MockExchange.StartStillAsync("--fault", $"handshake-status:status={status}");
        await exchange.TickersAsync();
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;

        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(exchange.WebSocketAddress, TestContext.Current.CancellationToken));

        Assert.Equal((HttpStatusCode)status, socket.HttpStatusCode);
        await using var client = await exchange.ConnectAsync();
        Assert.Equal("ok", (await client.AskAsync(List)).Type);
    }

    [Fact]
    public async Task A_slow_answer_is_the_usual_one_later()
    {
        await using var exchange = await MockExchange.StartStillAsync("--fault", "slow-rest:milliseconds=3000,after=1");
        string[] first = await exchange.TickersAsync();

        var slow = exchange.TickersAsync();
        await Eventually.TrueAsync(async () => await exchange.FaultAsync(1) == "spent 2/1", () => "the slow answer to be asked for");
        var quick = exchange.TickersAsync();

        Assert.Same(quick, await Task.WhenAny(slow, quick));
        Assert.Equal(first, await slow);
    }

    [Fact]
    public async Task A_hidden_market_is_unknown_to_listings_lookups_and_new_subscriptions_until_it_appears()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = await exchange.TickersAsync();
        int fault = await exchange.AddFaultAsync($$"""{"kind":"hide-market","market":"{{tickers[2]}}"}""");
        await using var client = await exchange.ConnectAsync();

        Assert.Equal(tickers.Where(ticker => ticker != tickers[2]), await exchange.TickersAsync());
        using (var answer = await exchange.Http.GetAsync($"markets/{tickers[2]}/orderbook", TestContext.Current.CancellationToken))
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        using (var answer = await exchange.Http.GetAsync($"markets/{tickers[2]}", TestContext.Current.CancellationToken))
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        var unknown = (await CommandTests.SubscribeToBooksAsync(client, tickers[2], tickers[3])).Single(frame => frame.Json["msg"]!["market_id"]?.GetValue<string>() == "");
        Assert.Equal(tickers[2], unknown.Ticker);
        Assert.Equal("", (string)(await client.AskAsync(CommandTests.Update(4, "get_snapshot", tickers[2]))).Message["market_id"]!);

        await exchange.RemoveFaultAsync(fault);

        Assert.Equal(tickers, await exchange.TickersAsync());
        Assert.NotEqual("", (string)(await client.AskAsync(CommandTests.Update(5, "get_snapshot", tickers[2]))).Message["market_id"]!);
    }

    [Fact]
    public async Task A_page_of_a_listing_is_full_although_a_market_of_it_is_hidden()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = await exchange.TickersAsync();
        await exchange.AddFaultAsync($"hide-market:market={tickers[1]}");

        var page = await exchange.GetAsync("markets?limit=3");
        var next = await exchange.GetAsync($"markets?limit=3&cursor={Uri.EscapeDataString((string)page["cursor"]!)}");

        Assert.Equal([tickers[0], tickers[2], tickers[3]], Tickers(page));
        Assert.Equal(tickers[4..7], Tickers(next));
    }

    private static IEnumerable<string> Tickers(JsonNode page) => page["markets"]!.AsArray().Select(market => (string)market!["ticker"]!);
}
