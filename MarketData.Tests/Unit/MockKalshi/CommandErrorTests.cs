using System.Net.WebSockets;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>Error replies (protocol reference, section 1.6).</summary>
public class CommandErrorTests
{
    [Theory]
    [InlineData("""{"id":9,"cmd":"fly","params":{}}""", 5, "Unknown command")]
    [InlineData("""{"id":9}""", 5, "Unknown command")]
    [InlineData("""{"id":9,"cmd":"subscribe"}""", 2, "Params required")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":null}""", 2, "Params required")]
    [InlineData("""{"id":9,"cmd":"unsubscribe"}""", 2, "Params required")]
    [InlineData("""{"id":9,"cmd":"update_subscription"}""", 2, "Params required")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{}}""", 3, "Channels required")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":[]}}""", 3, "Channels required")]
    [InlineData("""{"id":9,"cmd":"unsubscribe","params":{}}""", 4, "Subscription IDs required")]
    [InlineData("""{"id":9,"cmd":"unsubscribe","params":{"sids":[77]}}""", 7, "Unknown subscription ID")]
    [InlineData("""{"id":9,"cmd":"update_subscription","params":{"sid":77,"action":"get_snapshot"}}""", 7, "Unknown subscription ID")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["orderbook_snapshot"]}}""", 8, "Unknown channel name")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["ticker_v2"]}}""", 8, "Unknown channel name")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["ticker"],"market_ticker":"A","market_tickers":["B"]}}""", 11, "Invalid parameter")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["ticker"],"market_id":"6f1e2c9e-0000-4000-8000-000000000001","market_ids":[]}}""", 11, "Invalid parameter")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["ticker"],"market_ticker":""}}""", 11, "Invalid parameter")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_tickers":["A",""]}}""", 11, "Invalid parameter")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["fill"],"market_ids":["6f1e2c9e-0000-4000-8000-000000000001"]}}""", 11, "Invalid parameter")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_ids":["6f1e2c9e-0000-4000-8000-000000000001"]}}""", 14, "Market Ticker required")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["multivariate"]}}""", 8, "Unknown channel name")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["communications"],"shard_factor":0}}""", 19, "shard_factor must be > 0")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["communications"],"shard_factor":-2,"shard_key":0}}""", 19, "shard_factor must be > 0")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["communications"],"shard_key":0}}""", 20, "shard_factor is required when shard_key is set")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["communications"],"shard_factor":2,"shard_key":2}}""", 21, "shard_key must be >= 0 and < shard_factor")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["communications"],"shard_factor":2,"shard_key":-1}}""", 21, "shard_key must be >= 0 and < shard_factor")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["communications"],"shard_factor":101,"shard_key":0}}""", 22, "shard_factor must be <= 100")]
    [InlineData("""{"id":9,"cmd":"update_subscription","params":{"sid":1,"sids":[1],"action":"get_snapshot"}}""", 12, "Exactly one subscription ID is required")]
    [InlineData("""{"id":9,"cmd":"update_subscription","params":{"action":"get_snapshot"}}""", 12, "Exactly one subscription ID is required")]
    [InlineData("""{"id":9,"cmd":"update_subscription","params":{"sids":[1,2],"action":"get_snapshot"}}""", 12, "Exactly one subscription ID is required")]
    [InlineData("""{"id":9,"cmd":"update_subscription","params":{"sid":1,"action":"replace"}}""", 13, "Unsupported action")]
    [InlineData("""{"id":9,"cmd":"update_subscription","params":{"sid":1,"action":"get_snapshot","market_tickers":["A"]}}""", 13, "Unsupported action")]
    [InlineData("""{"id":9,"cmd":"update_subscription","params":{"sid":2,"action":"add_markets","market_tickers":["A"]}}""", 13, "Unsupported action")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["orderbook_delta"]}}""", 14, "Market Ticker required")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_tickers":[]}}""", 14, "Market Ticker required")]
    [InlineData("""{"id":9,"cmd":"update_subscription","params":{"sid":1,"action":"add_markets"}}""", 14, "Market Ticker required")]
    [InlineData("""{"id":9,"cmd":"update_subscription","params":{"sid":1}}""", 15, "Action required")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":"ticker"}}""", 1, "Unable to process message")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":[null]}}""", 1, "Unable to process message")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":{"channels":["ticker"],"market_tickers":[1]}}""", 1, "Unable to process message")]
    [InlineData("""{"id":9,"cmd":"subscribe","params":[]}""", 1, "Unable to process message")]
    [InlineData("""{"id":9,"cmd":7}""", 1, "Unable to process message")]
    [InlineData("""{"id":9,"cmd":"unsubscribe","params":{"sids":["1"]}}""", 1, "Unable to process message")]
    [InlineData("""{"id":9,"cmd":"unsubscribe","params":{"sids":[99999999999]}}""", 1, "Unable to process message")]
    public async Task A_wrong_command_is_answered_with_its_code_and_the_session_goes_on(string command, int code, string text)
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        await client.AskAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["trade"]}}""");
        await client.AskAsync("""{"id":2,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"]}}""");

        var error = await client.AskAsync(command);
        var list = await client.AskAsync("""{"id":10,"cmd":"list_subscriptions"}""");

        Assert.Equal($$$"""{"id":9,"type":"error","msg":{"code":{{{code}}},"msg":"{{{text}}}"}}""", error.Text);
        Assert.Equal(2, list.Message.AsArray().Count);
    }

    [Theory]
    [InlineData("{bad json")]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    [InlineData("{\"id\":\"9\",\"cmd\":\"list_subscriptions\"}")]
    [InlineData("{\"cmd\":\"list_subscriptions\"} {}")]
    public async Task What_is_no_command_is_error_1_without_an_id(string text)
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();

        var error = await client.AskAsync(text);

        Assert.Equal("""{"type":"error","msg":{"code":1,"msg":"Unable to process message"}}""", error.Text);
        Assert.Equal("ok", (await client.AskAsync("""{"id":10,"cmd":"list_subscriptions"}""")).Type);
    }

    [Fact]
    public async Task A_binary_message_is_error_1()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync("""{"id":1,"cmd":"list_subscriptions"}""", WebSocketMessageType.Binary);

        Assert.Equal(1, (await client.ReceiveAsync()).Code);
    }

    [Fact]
    public async Task A_bad_channel_does_not_stop_the_good_ones_of_the_same_command()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync("""{"id":3,"cmd":"subscribe","params":{"channels":["nope","trade","orderbook_delta","ticker"]}}""");
        var replies = await client.ReceiveAsync(4);

        Assert.Equal(["error", "subscribed", "error", "subscribed"], replies.Select(reply => reply.Type));
        Assert.Equal([8, 14], replies.Where(reply => reply.Type == "error").Select(reply => reply.Code));
        Assert.All(replies, reply => Assert.Equal(3, reply.Id));
    }

    [Fact]
    public async Task Unsubscribing_known_and_unknown_sids_ends_the_known_ones()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        await client.AskAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["trade"]}}""");

        await client.SendAsync("""{"id":4,"cmd":"unsubscribe","params":{"sids":[5,1]}}""");
        var replies = await client.ReceiveAsync(2);

        Assert.Equal(7, replies[0].Code);
        Assert.Equal(("unsubscribed", 1), (replies[1].Type, replies[1].Sid!.Value));
    }

    [Fact]
    public async Task A_reader_too_slow_gets_error_25_in_sequence_and_loses_that_subscription()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "50000", "--markets", "4", "--Connection:StreamBuffer", "1000");
        string[] tickers = await exchange.TickersAsync();
        await using var slow = await exchange.ConnectAsync();
        await slow.SendAsync(CommandTests.Subscribe(1, tickers));

        // Not reading: the exchange sends until the sockets and then the queue are full, as others can see by its trades going on.
        await using var other = await exchange.ConnectAsync();
        await other.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["trade"]}}""");
        await other.ReceiveAsync(6_000);
        var frames = await slow.ReceiveUntilAsync(frame => frame.Type == "error");

        var numbered = frames.Where(frame => frame.Seq is not null).Select(frame => frame.Seq!.Value).ToList();
        Assert.Equal(Enumerable.Range(1, numbered.Count).Select(number => (long)number), numbered);
        Assert.Equal((25, 1), (frames[^1].Code, frames[^1].Sid!.Value));
        Assert.Equal("[]", (await slow.AskAsync("""{"id":2,"cmd":"list_subscriptions"}""")).Message.ToJsonString());
        var again = await CommandTests.SubscribeToBooksAsync(slow, tickers[0]);
        Assert.Equal(2, (int)again[0].Message["sid"]!);
    }
}
