namespace MarketData.Tests.Unit.Gateway;

public sealed class RedisLossTests
{
    [Theory]
    [InlineData("LOSS:orderbook_delta", true)]
    [InlineData("LOSS:orderbook_delta", false)]
    [InlineData("all", true)]
    [InlineData("all", false)]
    public async Task After_Redis_died_and_came_back_clients_get_a_fresh_snapshot(string channel, bool isRedisDurable)
    {
        await using var gateway = new DurableHost(isRedisDurable);
        await gateway.InitializeAsync();
        var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "LOSS");
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync(channel);
        await (channel == "all" ? market.AllSubscribedAsync() : market.SubscribedAsync("orderbook_delta"));
        await market.PublishAsync(market.Snapshot(), market.Delta());
        await market.WriteKeyAsync();
        var book = new ClientBook();
        await book.FollowAsync(client, market);

        await redis.DisposeAsync();
        await gateway.Redis.KillAsync();
        await UntilAsync(gateway, "feed", "Unhealthy");
        // While Redis is away clients are served, and the book goes on.
        await client.PingAsync();
        for (int i = 0; i < 5; i++) market.Delta();
        gateway.Redis.Restart();
        market.Redis = await gateway.ConnectRedisAsync();
        // The gateway is back before the relay: without the key, or with an old one, it must not pass its own book off as the current one for good.
        await UntilAsync(gateway, "feed", "Healthy");
        await market.WriteKeyAsync();
        await book.FollowAsync(client, market);
        await market.PublishAsync(market.Delta());
        await book.FollowAsync(client, market);

        Assert.True(book.Snapshots >= 2);
        await market.Redis.DisposeAsync();
    }

    [Fact]
    public async Task A_book_that_lost_nothing_goes_on_after_Redis_came_back()
    {
        await using var gateway = await GatewayHost.StartAsync();
        var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "SAME");
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync("SAME:orderbook_delta");
        await market.SubscribedAsync("orderbook_delta");
        await market.PublishAsync(market.Snapshot());
        var book = new ClientBook();
        await book.FollowAsync(client, market);

        await redis.DisposeAsync();
        await gateway.Redis.KillAsync();
        await UntilAsync(gateway, "feed", "Unhealthy");
        gateway.Redis.Restart();
        market.Redis = await gateway.ConnectRedisAsync();
        await market.SubscribedAsync("orderbook_delta");
        await market.PublishAsync(market.Delta());

        await book.FollowAsync(client, market);
        await market.Redis.DisposeAsync();
    }

    private static Task UntilAsync(GatewayHost gateway, string check, string status) => Eventually.TrueAsync(
        () => gateway.HealthAsync(check).GetAwaiter().GetResult() == status, TimeSpan.FromSeconds(60), () => $"{check} {status}");

    private sealed class DurableHost(bool isRedisDurable) : GatewayHost
    {
        protected override bool IsRedisDurable => isRedisDurable;
    }
}
