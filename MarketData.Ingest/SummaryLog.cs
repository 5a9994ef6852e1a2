using MarketData.Ingest.Pipeline;

namespace MarketData.Ingest;

/// <summary>Says once a minute, in one line, what the service did in that minute.</summary>
public sealed partial class SummaryLog(IngestMetrics metrics, StageLatencies latencies, IServiceProvider services, TimeProvider time, ILogger<SummaryLog> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var last = Counts();
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var now = Counts();
            LogSummary(
                now.Received - last.Received, now.Published - last.Published, now.Skipped - last.Skipped, now.Dropped - last.Dropped, now.Relayed - last.Relayed,
                services.GetService<TrackedMarkets>()?.Count ?? 0, metrics.Gaps, metrics.Reconnects,
                string.Join(", ", latencies.Report().Select(stage => FormattableString.Invariant($"{stage.Key} {stage.Value.P50:0.0}/{stage.Value.P99:0.0}"))));
            last = now;
        }
    }

    private (long Received, long Published, long Skipped, long Dropped, long Relayed) Counts() => (
        metrics.ReceivedByType.Values.Sum(), metrics.PublishedByType.Values.Sum(), metrics.SkippedByReason.Values.Sum(), metrics.DroppedByReason.Values.Sum(),
        metrics.RelayedMessages);

    [LoggerMessage(60, LogLevel.Information,
        "Last minute: {Received} frames received, {Published} published, {Skipped} skipped, {Dropped} dropped, {Relayed} relayed. {Markets} markets; since the start {Gaps} gaps, {Reconnects} reconnects; ms from receipt to stage, p50/p99: {Latencies}.")]
    private partial void LogSummary(
        long received, long published, long skipped, long dropped, long relayed, int markets, long gaps, long reconnects, string latencies);
}
