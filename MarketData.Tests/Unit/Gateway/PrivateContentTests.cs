using System.Text;
using MarketData.Domain.Channels;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>Whatever gets into Redis, what concerns the exchange account does not reach clients.</summary>
public sealed class PrivateContentTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    [Fact]
    public async Task A_private_frame_reaches_nobody()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "PRIVATE");
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync("all");
        await market.AllSubscribedAsync();
        var trade = market.Other(MarketChannel.Trade);
        long before = await gateway.StatAsync("privateMessages");

        foreach (var type in new[] { "fill", "user_order", "market_position", "order_group_updates" })
        {
            await PublishAsync(market, "PRIVATE", Envelope(type, $$"""{"type":"{{type}}","sid":9,"msg":{"market_ticker":"PRIVATE","order_id":"secret"} }"""));
        }

        await market.PublishAsync(trade);

        Assert.Equal(trade, await client.NextBytesAsync());
        Assert.Equal(before + 4, await gateway.StatAsync("privateMessages"));
    }

    [Fact]
    public async Task Private_fields_are_cut_out_and_everything_else_keeps_its_bytes()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "FIELDS");
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync("FIELDS:trade");
        await market.SubscribedAsync("trade");

        long before = await gateway.StatAsync("privateMessages");

        await PublishAsync(
            market, "FIELDS", Envelope("trade", """{"type":"trade","sid":2,"msg":{"market_ticker":"FIELDS","client_order_id":"secret","n": 1.50,"subaccount":3}}""", "FIELDS"));

        Assert.Equal(
            Envelope("trade", """{"type":"trade","sid":2,"msg":{"market_ticker":"FIELDS","n": 1.50}}""", "FIELDS"),
            Encoding.UTF8.GetString(await client.NextBytesAsync()));
        Assert.Equal(before + 1, await gateway.StatAsync("privateMessages"));
    }

    private static string Envelope(string channel, string payload, string ticker = "PRIVATE") =>
        $$"""{"payload":{{payload}},"receivedTimestamp":1,"publishedTimestamp":2,"channel":"{{channel}}","marketTicker":"{{ticker}}","sequence":null,"source":"kalshi-websocket","version":1,"streamSequence":1,"streamEpoch":1}""";

    private static async Task PublishAsync(MarketSource market, string ticker, string envelope)
    {
        var channel = ticker == "PRIVATE" ? RedisNames.AllChannel : RedisNames.Channel(ticker, "trade");
        market.Redis.Write("PUBLISH"u8, Encoding.UTF8.GetBytes(channel), Encoding.UTF8.GetBytes(envelope));
        await market.Redis.FlushAsync(TestContext.Current.CancellationToken);
        (await market.Redis.ReadAsync(TestContext.Current.CancellationToken)).ThrowIfError();
    }
}
