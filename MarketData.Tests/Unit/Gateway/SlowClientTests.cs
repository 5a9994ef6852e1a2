using MarketData.Domain.Channels;

namespace MarketData.Tests.Unit.Gateway;

public sealed class SlowClientTests(SlowClientTests.SmallQueueHost gateway) : IClassFixture<SlowClientTests.SmallQueueHost>
{
    [Fact]
    public async Task Books_of_a_slow_client_are_conflated_to_a_snapshot_while_others_get_every_delta()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "CONFLATE");
        await using var slow = await gateway.ConnectAsync();
        await using var quick = await gateway.ConnectAsync();
        await slow.SubscribeAsync("CONFLATE:orderbook_delta");
        await quick.SubscribeAsync("CONFLATE:orderbook_delta");
        await market.SubscribedAsync("orderbook_delta");
        await market.PublishAsync(market.Snapshot());
        var (slowBook, quickBook) = (new ClientBook(), new ClientBook());
        await slowBook.FollowAsync(slow, market);
        await quickBook.FollowAsync(quick, market);
        await market.WriteKeyAsync();

        slow.Stall();
        long before = await gateway.StatAsync("conflations");
        // The system's own buffers come first: megabytes.
        for (int sent = 0; await gateway.StatAsync("conflations") == before; sent++)
        {
            Assert.True(sent < 1000, "The slow client was never conflated.");
            await market.PublishAsync([.. Enumerable.Range(0, 500).Select(_ => market.Delta())]);
            await quickBook.FollowAsync(quick, market);
        }

        await market.PublishAsync([.. Enumerable.Range(0, 500).Select(_ => market.Delta())]);
        await quickBook.FollowAsync(quick, market);
        int snapshots = slowBook.Snapshots;
        slow.Resume();
        await slowBook.FollowAsync(slow, market);
        await market.PublishAsync(market.Delta());
        await slowBook.FollowAsync(slow, market);

        Assert.True(slowBook.Snapshots > snapshots);
        Assert.Equal(1, quickBook.Snapshots);
    }

    [Fact]
    public async Task A_slow_client_that_would_lose_a_trade_is_closed_with_1013()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "SLOW-TRADES");
        await using var slow = await gateway.ConnectAsync();
        await using var quick = await gateway.ConnectAsync();
        await slow.SubscribeAsync("SLOW-TRADES:trade");
        await quick.SubscribeAsync("SLOW-TRADES:trade");
        await market.SubscribedAsync("trade");

        slow.Stall();
        long before = await gateway.StatAsync("slowClientsClosed");
        for (int sent = 0; await gateway.StatAsync("slowClientsClosed") == before; sent++)
        {
            Assert.True(sent < 2000, "The slow client was never closed.");
            byte[][] trades = [.. Enumerable.Range(0, 10).Select(_ => market.Other(MarketChannel.Trade, padding: 10_000))];
            await market.PublishAsync(trades);
            foreach (var trade in trades) Assert.Equal(trade, await quick.NextBytesAsync());
        }

        slow.Resume();
        Assert.Equal((1013, "Too slow: no room for a trade message of SLOW-TRADES."), await slow.ClosedAsync());
        await quick.PingAsync();
    }

    [Fact]
    public async Task Trades_that_wait_while_the_log_goes_round_many_times_are_kept_for_their_client()
    {
        await using var host = await GatewayHost.StartAsync("--Gateway:LogMegabytes=8", "--Gateway:ClientQueueBytes=67108864", "--Gateway:StallSeconds=600", "--Gateway:PingSeconds=600");
        await using var redis = await host.ConnectRedisAsync();
        var (market, other) = (new MarketSource(redis, "LAPPED"), new MarketSource(redis, "OTHER"));
        await using var slow = await host.ConnectAsync();
        await using var quick = await host.ConnectAsync();
        await slow.SubscribeAsync("LAPPED:trade");
        await quick.SubscribeAsync("OTHER:trade");
        await market.SubscribedAsync("trade");
        await other.SubscribedAsync("trade");

        slow.Stall();
        // More than the system's own buffers take, so that some wait in the log; then far more than the log holds.
        var trades = new List<byte[]>();
        for (int sent = 0; sent < 16 << 20; sent += trades[^1].Length)
        {
            trades.Add(market.Other(MarketChannel.Trade, padding: 100_000));
            await market.PublishAsync(trades[^1]);
        }

        for (int sent = 0; sent < 24 << 20;)
        {
            byte[][] some = [.. Enumerable.Range(0, 10).Select(_ => other.Other(MarketChannel.Trade, padding: 100_000))];
            await other.PublishAsync(some);
            foreach (var one in some) Assert.Equal(one, await quick.NextBytesAsync());
            sent += some.Sum(one => one.Length);
        }

        slow.Resume();
        foreach (var trade in trades) Assert.Equal(trade, await slow.NextBytesAsync());
        Assert.Equal(0, await host.StatAsync("slowClientsClosed"));
    }

    [Fact]
    public async Task A_client_that_reads_nothing_is_cut_off_after_the_stall_time()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "STALL");
        await using var stalled = await gateway.ConnectAsync();
        await stalled.SubscribeAsync("STALL:orderbook_delta");
        await market.SubscribedAsync("orderbook_delta");
        await market.PublishAsync(market.Snapshot());
        await stalled.NextBytesAsync();

        stalled.Stall();
        long closed = await gateway.StatAsync("slowClientsClosed");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await gateway.StatAsync("slowClientsClosed") == closed)
        {
            Assert.False(limit.IsCancellationRequested, "The stalled client was never cut off.");
            await market.PublishAsync([.. Enumerable.Range(0, 500).Select(_ => market.Delta())]);
        }
    }

    /// <summary>A queue that fills soon, but holds what a test publishes at once.</summary>
    public sealed class SmallQueueHost() : GatewayHost("--Gateway:ClientQueueBytes=1048576", "--Gateway:StallSeconds=10");
}
