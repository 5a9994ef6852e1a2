using System.Diagnostics;
using System.Net.Http.Json;

namespace MarketData.Benchmarks;

/// <summary>An ingest service as a process of the benchmark's own, watched through its <c>/stats</c>.</summary>
internal sealed class IngestProcess : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50), RequestTimeout = TimeSpan.FromSeconds(10);
    private readonly HttpClient _http;

    private IngestProcess(ServiceProcess process) =>
        (Process, _http) = (process, new HttpClient { BaseAddress = new Uri(process.Address), Timeout = RequestTimeout });

    public ServiceProcess Process { get; }

    /// <summary>Takes the feed of an exchange to Kafka.</summary>
    public static Task<IngestProcess> StartUpstreamAsync(LocalBroker kafka, string exchange, params string[] settings) => StartAsync(
        ["--ConnectionStrings:kafka", kafka.Address, "--services:mock-kalshi:http:0", exchange, "--Relay:Enabled", "false", .. settings]);

    /// <summary>Takes Kafka's log to Redis.</summary>
    public static Task<IngestProcess> StartRelayAsync(LocalBroker kafka, LocalRedis redis) => StartAsync(
        ["--ConnectionStrings:kafka", kafka.Address, "--ConnectionStrings:redis", redis.Address, "--Upstream:Enabled", "false"]);

    /// <summary>Both halves, as by default.</summary>
    public static Task<IngestProcess> StartBothAsync(LocalBroker kafka, LocalRedis redis, string exchange) => StartAsync(
    [
        "--ConnectionStrings:kafka", kafka.Address, "--ConnectionStrings:redis", redis.Address, "--services:mock-kalshi:http:0", exchange,
    ]);

    public async Task<IngestStats> StatsAsync() =>
        await _http.GetFromJsonAsync<IngestStats>("/stats") ?? throw new InvalidDataException("/stats answered null.");

    /// <summary>Asks for the counts until they are as they should be.</summary>
    /// <returns>The first counts that are.</returns>
    /// <exception cref="TimeoutException">They were not in time.</exception>
    public async Task<IngestStats> WaitAsync(Func<IngestStats, bool> isReached, TimeSpan within, string what)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var stats = await StatsAsync();
            if (isReached(stats)) return stats;
            if (watch.Elapsed > within) throw new TimeoutException($"Ingest did not come to {what} within {within.TotalSeconds} s: {stats}");
            await Task.Delay(Poll);
        }
    }

    /// <summary>Measures a count that runs up to an end: from the first sight of it above 0 until it has not moved for 3 s.</summary>
    public async Task<Run> MeasureAsync(Func<IngestStats, long> count, TimeSpan within, string what)
    {
        long first = count(await WaitAsync(stats => count(stats) > 0, within, what)), last = first;
        var processorTime = Process.ProcessorTime;
        var watch = Stopwatch.StartNew();
        var moved = TimeSpan.Zero;
        while (watch.Elapsed - moved < TimeSpan.FromSeconds(3))
        {
            if (watch.Elapsed > within) throw new TimeoutException($"Ingest did not come to the end of {what} within {within.TotalSeconds} s.");
            await Task.Delay(Poll);
            long now = count(await StatsAsync());
            if (now == last) continue;
            (last, moved) = (now, watch.Elapsed);
        }

        return new Run(last, (last - first) / moved.TotalSeconds, (Process.ProcessorTime - processorTime) / (last - first));
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Process.DisposeAsync();
    }

    private static async Task<IngestProcess> StartAsync(params string[] settings) =>
        new(await ServiceProcess.StartAsync("MarketData.Ingest.dll", "Now listening on: ", ["--urls", "http://127.0.0.1:0", .. settings]));
}

/// <summary>What a count that ran up to an end came to.</summary>
/// <param name="Total">The count at the end.</param>
/// <param name="PerSecond">While it moved.</param>
/// <param name="ProcessorTime">Of the process, for each one counted.</param>
internal readonly record struct Run(long Total, double PerSecond, TimeSpan ProcessorTime);

/// <summary>The part of ingest's <c>/stats</c> that is measured by.</summary>
internal sealed record IngestStats(UpstreamStats? Upstream, BootstrapStats? Bootstrap, RelayStats? Relay)
{
    /// <summary>Envelopes acknowledged by Kafka.</summary>
    public long Acknowledged => Upstream?.Acknowledged ?? 0;

    /// <summary>Envelopes acknowledged by Redis.</summary>
    public long Relayed => Relay?.MessagesPublished ?? 0;
}

internal sealed record UpstreamStats(
    string? Problem, int BooksSubscribed, long Acknowledged, long Gaps, Dictionary<string, long> Received, Dictionary<string, long> Published, Dictionary<string, long> Dropped);

internal sealed record BootstrapStats(string State, long Records, int Books, long UnreadableRecords);

internal sealed record RelayStats(string? Problem, long MessagesPublished);
