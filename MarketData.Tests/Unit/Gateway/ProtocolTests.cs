using System.Text;
using System.Text.Json;
using MarketData.Domain.Channels;

namespace MarketData.Tests.Unit.Gateway;

public sealed class ProtocolTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    [Fact]
    public async Task The_greeting_names_the_session()
    {
        using var socket = new System.Net.WebSockets.ClientWebSocket();
        await socket.ConnectAsync(gateway.Endpoint, TestContext.Current.CancellationToken);
        var buffer = new byte[4096];
        var received = await socket.ReceiveAsync(buffer.AsMemory(), TestContext.Current.CancellationToken);

        using var greeting = JsonDocument.Parse(buffer.AsMemory(0, received.Count));

        Assert.Equal(["type", "message", "sessionId"], Names(greeting.RootElement));
        Assert.Equal("connected", greeting.RootElement.GetProperty("type").GetString());
        Assert.NotEmpty(greeting.RootElement.GetProperty("sessionId").GetString()!);
    }

    [Fact]
    public async Task Answers_have_the_documented_shapes_and_come_in_the_order_of_the_requests()
    {
        await using var client = await gateway.ConnectAsync();
        await client.SendAsync("""{"action":"subscribe","channel":"SHAPES:trade"}""");
        await client.SendAsync("""{"action":"ping"}""");
        await client.SendAsync("""{"action":"subscribe","channel":"SHAPES:trade"}""");
        await client.SendAsync("nonsense");
        await client.SendAsync("""{"action":"unsubscribe","channel":"SHAPES:trade"}""");
        await client.SendAsync("""{"action":"unsubscribe","channel":"SHAPES:trade"}""");

        var subscribed = await client.NextAsync();
        var pong = await client.NextAsync();
        var already = await client.NextAsync();
        var error = await client.NextAsync();
        var unsubscribed = await client.NextAsync();
        var not = await client.NextAsync();

        Assert.Equal(
            ["subscribed", "pong", "already_subscribed", "error", "unsubscribed", "not_subscribed"],
            new[] { subscribed, pong, already, error, unsubscribed, not }.Select(answer => answer.GetProperty("type").GetString()));
        Assert.All([subscribed, already, unsubscribed, not], answer =>
        {
            Assert.Equal(["type", "data", "timestamp"], Names(answer));
            Assert.Equal("""{"channel":"SHAPES:trade"}""", answer.GetProperty("data").GetRawText());
            AssertNow(answer);
        });
        Assert.Equal(["type", "data", "timestamp"], Names(pong));
        Assert.Equal(JsonValueKind.Object, pong.GetProperty("data").ValueKind);
        AssertNow(pong);
        Assert.Equal(["type", "error", "timestamp"], Names(error));
        AssertNow(error);
    }

    [Fact]
    public async Task The_alias_ticker_is_the_channel_ticker_v2_and_is_answered_in_the_clients_spelling()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "ALIAS");
        await using var client = await gateway.ConnectAsync();

        await client.AskAsync("subscribe", "ALIAS:ticker");
        Assert.Equal("ALIAS:ticker", (await client.AnswerAsync("subscribed")).GetProperty("data").GetProperty("channel").GetString());
        await client.AskAsync("subscribe", "ALIAS:ticker_v2");
        await client.AnswerAsync("already_subscribed");
        await market.SubscribedAsync("ticker_v2");
        var ticker = market.Other(MarketChannel.TickerV2);
        await market.PublishAsync(ticker);

        Assert.Equal(ticker, await client.NextBytesAsync());
    }

    [Fact]
    public async Task Several_channels_in_one_request_are_answered_each()
    {
        await using var client = await gateway.ConnectAsync();
        await client.SendAsync("""{"action":"subscribe","channel":"S1:trade","channels":["S2:trade","*:market_lifecycle_v2"]}""");

        var answers = new[] { await client.AnswerAsync("subscribed"), await client.AnswerAsync("subscribed"), await client.AnswerAsync("subscribed") };

        Assert.Equal(["S1:trade", "S2:trade", "*:market_lifecycle_v2"], answers.Select(answer => answer.GetProperty("data").GetProperty("channel").GetString()));
    }

    [Fact]
    public async Task Every_kind_of_channel_delivers_exactly_its_messages_byte_for_byte()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var (one, two) = (new MarketSource(redis, "KIND-1"), new MarketSource(redis, "KIND-2"));
        await using var all = await gateway.ConnectAsync();
        await using var everyTrade = await gateway.ConnectAsync();
        await using var oneLifecycle = await gateway.ConnectAsync();
        await all.SubscribeAsync("all");
        await everyTrade.SubscribeAsync("*:trade");
        await oneLifecycle.SubscribeAsync("KIND-1:market_lifecycle_v2");
        await one.AllSubscribedAsync();
        await one.SubscribedAsync("market_lifecycle_v2");

        byte[][] sent =
        [
            one.Other(MarketChannel.Trade), two.Other(MarketChannel.Trade), two.Other(MarketChannel.MarketLifecycleV2), one.Other(MarketChannel.TickerV2),
            one.Other(MarketChannel.MarketLifecycleV2), one.Other(MarketChannel.Trade),
        ];
        foreach (var envelope in sent) await (Text(envelope).Contains("KIND-1", StringComparison.Ordinal) ? one : two).PublishAsync(envelope);

        foreach (var envelope in sent) Assert.Equal(envelope, await NextOfAsync(all, "KIND"));
        foreach (int i in (int[])[0, 1, 5]) Assert.Equal(sent[i], await NextOfAsync(everyTrade, "KIND"));
        Assert.Equal(sent[4], await oneLifecycle.NextBytesAsync());
        await oneLifecycle.PingAsync();
    }

    [Fact]
    public async Task Overlapping_subscriptions_and_two_Redis_channels_deliver_a_message_once()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "OVERLAP");
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync("OVERLAP:trade", "*:trade", "all");
        await market.SubscribedAsync("trade");
        await market.AllSubscribedAsync();

        var trades = Enumerable.Range(0, 50).Select(_ => market.Other(MarketChannel.Trade)).ToArray();
        await market.PublishAsync(trades);

        foreach (var trade in trades) Assert.Equal(trade, await NextOfAsync(client, "OVERLAP"));
    }

    [Fact]
    public async Task After_unsubscribing_nothing_more_comes_and_after_subscribing_again_it_does()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "AGAIN");
        await using var client = await gateway.ConnectAsync();
        await using var other = await gateway.ConnectAsync();
        await other.SubscribeAsync("AGAIN:trade");
        await client.SubscribeAsync("AGAIN:trade");
        await market.SubscribedAsync("trade");

        await client.AskAsync("unsubscribe", "AGAIN:trade");
        await client.AnswerAsync("unsubscribed");
        var (first, second) = (market.Other(MarketChannel.Trade), market.Other(MarketChannel.Trade));
        await market.PublishAsync(first);
        Assert.Equal(first, await other.NextBytesAsync());
        await client.SubscribeAsync("AGAIN:trade");
        await market.PublishAsync(second);

        Assert.Equal(second, await client.NextBytesAsync());
        Assert.Equal(second, await other.NextBytesAsync());
    }

    [Fact]
    public async Task One_client_gone_without_a_word_leaves_the_others_theirs()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "GONE");
        await using var stays = await gateway.ConnectAsync();
        await stays.SubscribeAsync("GONE:trade");
        await using (var leaves = await gateway.ConnectAsync()) await leaves.SubscribeAsync("GONE:trade");
        await market.SubscribedAsync("trade");
        var trade = market.Other(MarketChannel.Trade);

        await market.PublishAsync(trade);

        Assert.Equal(trade, await stays.NextBytesAsync());
    }

    [Fact]
    public async Task A_clients_own_close_is_answered_with_1000()
    {
        await using var client = await gateway.ConnectAsync();

        await client.CloseAsync();

        Assert.Equal(1000, (await client.ClosedAsync()).Code);
    }

    private static IEnumerable<string> Names(JsonElement message) => message.EnumerateObject().Select(property => property.Name);

    private static void AssertNow(JsonElement answer) =>
        Assert.InRange(answer.GetProperty("timestamp").GetInt64(), DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeMilliseconds(), DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    private static string Text(byte[] message) => Encoding.UTF8.GetString(message);

    // Other tests share the gateway, and their messages come to wildcards.
    private static async Task<byte[]> NextOfAsync(GatewayConnection client, string ticker)
    {
        byte[] message;
        do message = await client.NextBytesAsync();
        while (!Text(message).Contains(ticker, StringComparison.Ordinal));
        return message;
    }
}
