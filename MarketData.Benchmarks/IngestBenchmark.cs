using System.Text;

namespace MarketData.Benchmarks;

/// <summary>
/// How many frames a second go from the exchange to Kafka's acknowledgement, and from Kafka to Redis' acknowledgement: a mock exchange plays
/// as fast as ingest reads, then a relay reads the whole log. Every process shares the machine.
/// </summary>
internal static class IngestBenchmark
{
    private const int Frames = 2_000_000, SimulatedMarkets = 1000;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);

    /// <param name="recordings">Files of one frame a line, <c>.gz</c> too; none for frames of the mock exchange.</param>
    public static async Task<int> RunAsync(string[] recordings)
    {
        var (frames, origin) = await FrameSource.LoadAsync(recordings, SimulatedMarkets);
        int copies = Math.Max(1, Frames / frames.Length);
        Console.WriteLine($"{origin}, every market {copies} times");
        var folder = Directory.CreateTempSubdirectory("market-data-benchmark-");
        try
        {
            string file = Path.Combine(folder.FullName, "frames.jsonl");
            await File.WriteAllLinesAsync(file, frames.Select(Encoding.UTF8.GetString));
            await using var broker = await LocalBroker.StartAsync();
            long acknowledged = await MeasureIngestAsync(broker, file, copies);
            await MeasureRelayAsync(broker, acknowledged);
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<long> MeasureIngestAsync(LocalBroker broker, string file, int copies)
    {
        await using var exchange = await MockExchange.StartAsync(["--speed", "0", "--multiply", $"{copies}", .. MockExchange.Replay([file])]);
        // Without a pause, so that the way is measured and not the wait for the books.
        await using var ingest = await IngestProcess.StartUpstreamAsync(broker, exchange.Address, "--Upstream:BatchPauseMs", "0");
        var brokerTime = broker.Process.ProcessorTime;
        var run = await ingest.MeasureAsync(stats => stats.Acknowledged, Timeout, "acknowledgements by Kafka");
        var stats = await ingest.StatsAsync();
        Report("exchange to Kafka", run, $"broker {PerFrame(broker.Process.ProcessorTime - brokerTime, run.Total)}");
        Console.WriteLine($"                   {stats.Upstream!.Received.Values.Sum():N0} frames received, {stats.Upstream.Published.Values.Sum():N0} published, {stats.Upstream.Gaps:N0} gaps, dropped: {string.Join(", ", stats.Upstream.Dropped.Select(dropped => $"{dropped.Value:N0} {dropped.Key}").DefaultIfEmpty("none"))}");
        return run.Total;
    }

    private static async Task MeasureRelayAsync(LocalBroker broker, long expected)
    {
        await using var redis = await LocalRedis.StartAsync();
        await using var relay = await IngestProcess.StartRelayAsync(broker, redis);
        var run = await relay.MeasureAsync(stats => stats.Relayed, Timeout, "acknowledgements by Redis");
        Report("Kafka to Redis", run, $"Redis {PerFrame(redis.ProcessorTime, run.Total)}");
        if (run.Total < expected) throw new InvalidOperationException($"Only {run.Total:N0} of {expected:N0} envelopes came to Redis.");
    }

    private static void Report(string way, Run run, string other) =>
        Console.WriteLine($"{way,-18} {run.PerSecond,10:N0}/s  ({run.Total:N0} acknowledged; processor time: ingest {run.ProcessorTime.TotalMicroseconds:F1} µs each, {other})");

    private static string PerFrame(TimeSpan processorTime, long frames) => $"{processorTime.TotalMicroseconds / frames:F1} µs";
}
