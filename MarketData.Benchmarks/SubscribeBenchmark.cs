using System.Diagnostics;

namespace MarketData.Benchmarks;

/// <summary>How soon a cold ingest has subscribed every market of an exchange that trades meanwhile, with its options' defaults.</summary>
internal static class SubscribeBenchmark
{
    public const int DefaultMarkets = 10_000;
    private const int Rate = 1000;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    public static async Task<int> RunAsync(int markets)
    {
        await using var broker = await LocalBroker.StartAsync();
        await using var exchange = await MockExchange.StartAsync("--markets", $"{markets}", "--rate", $"{Rate}");
        var watch = Stopwatch.StartNew();
        await using var ingest = await IngestProcess.StartUpstreamAsync(broker, exchange.Address);
        await ingest.WaitAsync(stats => stats.Upstream!.Received.ContainsKey("orderbook_snapshot"), Timeout, "the first snapshot");
        Console.WriteLine($"first snapshot            {watch.Elapsed.TotalSeconds,6:N1} s after the start of the process");
        var stats = await ingest.WaitAsync(stats => stats.Upstream!.BooksSubscribed >= markets, Timeout, $"{markets:N0} order books");
        Console.WriteLine($"{stats.Upstream!.BooksSubscribed,-7:N0} books subscribed  {watch.Elapsed.TotalSeconds,6:N1} s");
        stats = await ingest.WaitAsync(stats => stats.Upstream!.Received.GetValueOrDefault("orderbook_snapshot") >= markets, Timeout, $"{markets:N0} snapshots");
        Console.WriteLine($"{stats.Upstream!.Received["orderbook_snapshot"],-7:N0} snapshots         {watch.Elapsed.TotalSeconds,6:N1} s  ({stats.Upstream.Received.Values.Sum():N0} frames received, {stats.Upstream.Gaps} gaps)");
        return 0;
    }
}
