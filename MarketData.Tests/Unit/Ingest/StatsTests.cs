using System.Text.Json;
using MarketData.Tests.Integration.LocalKafka;

namespace MarketData.Tests.Unit.Ingest;

/// <summary><c>GET /stats</c> tells what became of every frame.</summary>
public sealed class StatsTests : IAsyncLifetime
{
    private BrokerProcess _kafka = null!;
    private ScriptedExchange _exchange = null!;

    public async ValueTask InitializeAsync()
    {
        _kafka = await BrokerProcess.StartAsync();
        _exchange = await ScriptedExchange.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _exchange.DisposeAsync();
        await _kafka.DisposeAsync();
    }

    [Fact]
    public async Task Every_frame_is_counted_by_what_it_was_and_what_became_of_it()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap);
        var session = await _exchange.AcceptSubscribedAsync();
        await session.SnapshotAsync("MKT-A");
        await session.SendAsync($$$"""{"type":"orderbook_delta","sid":4,"seq":{{{session.NextSeq(ExchangeSession.BookSid)}}},"msg":{"market_ticker":"MKT-A","price_dollars":"0.4000","delta_fp":"0.00","side":"yes"}}""");
        await session.DeltaAsync("MKT-A");
        await session.DeltaAsync("MKT-UNKNOWN");
        await session.SendControlAsync("""{"type":"fill","msg":{"market_ticker":"MKT-A"}}""");
        await session.SendControlAsync("nonsense");
        await session.TradeAsync("MKT-A", "t");

        // Two snapshots, a delta and a trade are new.
        var upstream = await WaitAsync(upstream => upstream.GetProperty("acknowledged").GetInt64() == 4);

        Assert.Equal(2, upstream.GetProperty("booksSubscribed").GetInt32());
        AssertCounts(upstream, "received", ("orderbook_snapshot", 3), ("orderbook_delta", 3), ("trade", 1), ("private", 1), ("subscribed", 4));
        AssertCounts(upstream, "published", ("orderbook_snapshot", 2), ("orderbook_delta", 1), ("trade", 1));
        AssertCounts(upstream, "skipped", ("identical_snapshot", 1), ("no_op_delta", 1));
        AssertCounts(upstream, "dropped", ("stale", 1), ("private", 1), ("malformed", 1));
        Assert.Equal(2 / 6.0, upstream.GetProperty("skipRate").GetDouble(), precision: 6);

        async Task<JsonElement> WaitAsync(Func<JsonElement, bool> condition)
        {
            JsonElement stats = default;
            await Eventually.TrueAsync(
                async () => condition((stats = (await ingest.GetAsync("/stats")).Json).GetProperty("upstream")), TimeSpan.FromSeconds(60), () => stats.ToString());
            Assert.Equal(JsonValueKind.Null, stats.GetProperty("relay").ValueKind);
            var produced = stats.GetProperty("latencyMs").GetProperty("produced");
            Assert.Equal(4, produced.GetProperty("count").GetInt64());
            Assert.InRange(produced.GetProperty("p50").GetDouble(), 0, produced.GetProperty("p99").GetDouble());
            return stats.GetProperty("upstream");
        }
    }

    [Fact]
    public async Task Of_the_relay_alone_its_half_is_told()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var ingest = await IngestHost.StartRelayAsync(_kafka.Bootstrap, redis.ConnectionString);
        using var feed = new EnvelopeFeed(_kafka.Bootstrap);
        await ingest.WaitForAsync("relay", "Healthy");
        feed.Snapshot("MKT-A");
        feed.Trade("MKT-A");
        feed.Flush();

        JsonElement stats = default;
        await Eventually.TrueAsync(
            async () => (stats = (await ingest.GetAsync("/stats")).Json).GetProperty("relay").GetProperty("messagesPublished").GetInt64() == 2,
            TimeSpan.FromSeconds(60),
            () => stats.ToString());
        Assert.Equal(JsonValueKind.Null, stats.GetProperty("upstream").ValueKind);
        Assert.Equal(2, stats.GetProperty("latencyMs").GetProperty("relayed").GetProperty("count").GetInt64());
    }

    private static void AssertCounts(JsonElement upstream, string name, params (string Key, long Count)[] expected) => Assert.Equal(
        expected.Order(),
        upstream.GetProperty(name).EnumerateObject().Select(count => (count.Name, count.Value.GetInt64())).Order());
}
