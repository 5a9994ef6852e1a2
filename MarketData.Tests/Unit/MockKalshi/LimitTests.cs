namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>What one connection may do at most: error codes 18, 26 and 27 (protocol reference, sections 1.6 and 1.12).</summary>
public class LimitTests
{
    [Fact]
    public async Task A_subscription_to_more_markets_than_allowed_is_error_26_and_there_is_none()
    {
        await using var exchange = await MockExchange.StartStillAsync("--Connection:MaxMarketsPerSubscription", "2");
        string[] tickers = (await exchange.TickersAsync())[..3];
        await using var client = await exchange.ConnectAsync();

        var error = await client.AskAsync(CommandTests.Subscribe(1, tickers));

        Assert.Equal("""{"id":1,"type":"error","msg":{"code":26,"msg":"Subscription market limit exceeded"}}""", error.Text);
        Assert.Equal("[]", (await client.AskAsync("""{"id":2,"cmd":"list_subscriptions"}""")).Message.ToJsonString());
    }

    [Fact]
    public async Task Markets_beyond_the_limit_are_error_26_and_the_subscription_goes_on_as_it_was()
    {
        await using var exchange = await MockExchange.StartStillAsync("--Connection:MaxMarketsPerSubscription", "2");
        string[] tickers = (await exchange.TickersAsync())[..3];
        await using var client = await exchange.ConnectAsync();
        await CommandTests.SubscribeToBooksAsync(client, tickers[0]);

        Assert.Equal(26, (await client.AskAsync(CommandTests.Update(2, "add_markets", tickers[1], tickers[2]))).Code);
        Assert.Equal(26, (await client.AskAsync(CommandTests.Subscribe(3, tickers))).Code);
        var ok = await client.AskAsync(CommandTests.Update(4, "add_markets", tickers[0], tickers[2]));

        Assert.Equal([tickers[0], tickers[2]], ok.Tickers);
        Assert.Equal(2, ok.Seq);
    }

    [Fact]
    public async Task Every_market_is_no_number_of_markets()
    {
        await using var exchange = await MockExchange.StartStillAsync("--Connection:MaxMarketsPerSubscription", "1");
        await using var client = await exchange.ConnectAsync();

        Assert.Equal("subscribed", (await client.AskAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["trade"]}}""")).Type);
    }

    [Fact]
    public async Task More_commands_than_a_second_may_have_are_error_27_and_the_next_second_has_its_own()
    {
        await using var exchange = await MockExchange.StartStillAsync("--Connection:CommandsPerSecond", "2");
        await using var client = await exchange.ConnectAsync();
        var replies = new List<Frame>();

        do replies.Add(await client.AskAsync("""{"id":7,"cmd":"list_subscriptions"}"""));
        while (replies[^1].Type != "error");
        do replies.Add(await client.AskAsync("""{"id":8,"cmd":"list_subscriptions"}"""));
        while (replies[^1].Type != "ok");

        var error = replies.First(reply => reply.Type == "error");
        Assert.Equal("""{"id":7,"type":"error","msg":{"code":27,"msg":"Too many requests"}}""", error.Text);
    }

    [Fact]
    public async Task A_command_that_waits_too_long_behind_unread_answers_is_error_18()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "2000", "--markets", "200", "--Connection:CommandTimeout", "00:00:00.100");
        string[] tickers = await exchange.TickersAsync();
        await using ExchangeClient slow = await exchange.ConnectAsync(), other = await exchange.ConnectAsync();
        await SubscribeAsync(slow, CommandTests.Subscribe(1, tickers));
        await SubscribeAsync(other, """{"id":1,"cmd":"subscribe","params":{"channels":["trade"]}}""");

        // Each of these is answered with 200 snapshots; nobody reads them while another client sees more than the time go by.
        for (int id = 2; id < 120; id++) await slow.SendAsync(CommandTests.Update(id, "get_snapshot", tickers));
        long sent = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await other.ReceiveUntilAsync(frame => (long)frame.Message["ts_ms"]! > sent + 500);

        var error = (await slow.ReceiveUntilAsync(frame => frame.Type == "error"))[^1];
        Assert.Equal($$$"""{"id":{{{error.Id}}},"type":"error","msg":{"code":18,"msg":"Command timeout"}}""", error.Text);
    }

    /// <summary>Where commands may wait for a tenth of a second only, on a busy machine the first may come too late.</summary>
    private static async Task SubscribeAsync(ExchangeClient client, string command)
    {
        while ((await client.AskAsync(command)).Type != "subscribed")
        {
        }
    }
}
