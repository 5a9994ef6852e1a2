using MarketData.Ingest.Bootstrap;
using MarketData.Ingest.Leadership;
using MarketData.Ingest.Pipeline;
using MarketData.Ingest.Upstream;

namespace MarketData.Ingest;

/// <summary><c>GET /stats</c>: the service's counters since its start. A half that is switched off is null.</summary>
public static class StatsEndpoint
{
    public static void MapStats(this WebApplication app) => app.MapGet("/stats", (IngestMetrics metrics, StageLatencies latencies, IServiceProvider services) => new
    {
        upstream = services.GetService<UpstreamStatus>() is { } upstream ? Upstream(upstream, metrics, services.GetRequiredService<TrackedMarkets>(), services.GetRequiredService<KafkaSink>()) : null,
        leadership = services.GetService<LeadershipStatus>() is { } lead ? new { role = lead.Role, term = lead.Term, termsLed = lead.TermsLed } : null,
        bootstrap = services.GetService<BootstrapStatus>() is { } bootstrap ? Bootstrap(bootstrap) : null,
        relay = services.GetService<Relay.RelayStatus>() is { } relay
            ? new { problem = relay.Problem, messagesPublished = metrics.RelayedMessages, snapshotKeysWritten = metrics.SnapshotKeys }
            : null,
        latencyMs = latencies.Report(),
    });

    private static object Upstream(UpstreamStatus status, IngestMetrics metrics, TrackedMarkets markets, KafkaSink sink) => new
    {
        problem = status.Problem,
        connections = status.Connections,
        booksSubscribed = status.Books,
        marketsTracked = markets.Count,
        received = metrics.ReceivedByType,
        published = metrics.PublishedByType,
        acknowledged = metrics.Acknowledgements,
        queuedForKafka = sink.Queued,
        skipped = metrics.SkippedByReason,
        skipRate = metrics.SkipRate,
        dropped = metrics.DroppedByReason,
        reconnects = metrics.Reconnects,
        gaps = metrics.Gaps,
        booksMarkedStale = metrics.MarkedStaleCount,
        resyncs = metrics.Resyncs,
        tradesFilled = metrics.FilledTrades,
    };

    private static object Bootstrap(BootstrapStatus status) => new
    {
        state = status.State,
        records = status.Records,
        totalRecords = status.Total,
        unreadableRecords = status.Unreadable,
        books = status.Books,
    };
}
