using System.Text.Json;

namespace MarketData.Tests.Reliability;

/// <summary>What goes into the log and what is left out, and that the statistics tell it.</summary>
[Collection("Topology")]
public sealed class PublishingRulesTests
{
    [Fact]
    public async Task The_first_start_publishes_everything()
    {
        await using var topology = await StartAsync();

        string[] markets = await topology.Exchange.TickersAsync();
        Assert.Equal(markets.ToDictionary(ticker => ticker, _ => 1), topology.Log.Snapshots);
        Assert.Equal((0, 0), Skipped(await UpstreamAsync(topology)));
    }

    [Fact]
    public async Task An_identical_snapshot_is_skipped()
    {
        await using var topology = await StartAsync();
        await topology.StopIngestAsync(topology.Ingest);
        await topology.StartIngestAsync();
        await topology.SoundAsync();

        int markets = (await topology.Exchange.TickersAsync()).Length;
        await Eventually.TrueAsync(async () => Skipped(await UpstreamAsync(topology)) == (markets, 0), () => $"all snapshots are skipped:\n{topology.Ingest.Output}");
        topology.Log.Drain();
        Assert.Equal(markets, topology.Log.Records["orderbook_snapshot"]);
    }

    [Fact]
    public async Task Of_deltas_exactly_the_changes_are_published()
    {
        await using var topology = await StartAsync();
        string[] markets = await topology.Exchange.TickersAsync();
        foreach (string ticker in markets[..5])
        {
            for (int contracts = 1; contracts <= 10; contracts++) await topology.BidAsync(ticker, contracts);
        }

        await topology.BooksEqualTruthAsync();
        Assert.Equal((markets.Length, 50), (topology.Log.Records["orderbook_snapshot"], topology.Log.Records["orderbook_delta"]));
    }

    [Fact]
    public async Task Trades_tickers_and_life_cycle_are_always_published_and_the_statistics_are_right()
    {
        await using var topology = await StartAsync("--Simulation:ShortMarketLife", "00:00:20");
        string? lastTrade = await topology.LastTradeAsync();
        await using (var session = new BusySession(topology.Exchange))
        {
            await session.GoOnAsync(100);
            await Eventually.TrueAsync(async () => Count(await UpstreamAsync(topology), "received", "lifecycle") > 5, () => $"markets come and go:\n{topology.Ingest.Output}");
        }

        await topology.EverythingIsRightAsync(lastTrade);
        string[] wrong = [];
        // Markets go on to come and go: what was received a moment ago is on its way.
        await Eventually.TrueAsync(
            async () =>
            {
                var upstream = await UpstreamAsync(topology);
                topology.Log.Drain();
                wrong = [.. Wrong(upstream, topology.Log)];
                return wrong.Length == 0;
            },
            () => string.Join('\n', wrong));
    }

    private static async Task<ReliabilityTopology> StartAsync(params string[] exchange)
    {
        var topology = await ReliabilityTopology.StartAsync(exchange);
        await topology.RunIngestAsync();
        await topology.BooksEqualTruthAsync();
        return topology;
    }

    private static IEnumerable<string> Wrong(JsonElement upstream, LogObserver log)
    {
        foreach (var (type, channel) in new[] { ("trade", "trade"), ("ticker", "ticker_v2"), ("lifecycle", "market_lifecycle_v2") })
        {
            long received = Count(upstream, "received", type), published = Count(upstream, "published", type), logged = log.Records[channel];
            if (received != published || published != logged) yield return $"{type}: {received} received, {published} published, {logged} in the log";
        }

        long snapshots = Count(upstream, "published", "orderbook_snapshot"), deltas = Count(upstream, "published", "orderbook_delta");
        if ((snapshots, deltas) != (log.Records["orderbook_snapshot"], log.Records["orderbook_delta"])) yield return $"{snapshots} snapshots and {deltas} deltas are published";
        var (identical, noOp) = Skipped(upstream);
        if (Count(upstream, "received", "orderbook_snapshot") != snapshots + identical) yield return $"{identical} snapshots are skipped";
        if (Count(upstream, "received", "orderbook_delta") != deltas + noOp + Count(upstream, "dropped", "stale")) yield return $"{noOp} deltas are skipped";
        long all = log.Records.Values.Sum(), acknowledged = upstream.GetProperty("acknowledged").GetInt64();
        if (acknowledged != all + log.StaleMarkers) yield return $"{acknowledged} are acknowledged, {all} and {log.StaleMarkers} stale ones are in the log";
        double rate = (double)(identical + noOp) / (identical + noOp + all);
        if (Math.Abs(upstream.GetProperty("skipRate").GetDouble() - rate) > 1e-9) yield return $"the skip rate is not {rate}";
    }

    private static async Task<JsonElement> UpstreamAsync(ReliabilityTopology topology) => (await topology.Ingest.StatsAsync()).GetProperty("upstream");

    private static (long Identical, long NoOp) Skipped(JsonElement upstream) => (Count(upstream, "skipped", "identical_snapshot"), Count(upstream, "skipped", "no_op_delta"));

    private static long Count(JsonElement upstream, string what, string name) => upstream.GetProperty(what).TryGetProperty(name, out var count) ? count.GetInt64() : 0;
}
