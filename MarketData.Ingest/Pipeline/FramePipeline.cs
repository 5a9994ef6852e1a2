using System.Text;
using MarketData.Domain.Frames;
using MarketData.Ingest.Upstream;

namespace MarketData.Ingest.Pipeline;

/// <summary>
/// From a frame to a Kafka record: keeps private frames back, skips what changes nothing, produces what the stage made of the rest.
/// Called by one loop at a time, which makes the order of arrival the order of the log.
/// </summary>
public sealed class FramePipeline(TrackedMarkets markets, EnvelopeStage stage, KafkaSink sink, IngestMetrics metrics, StageLatencies latencies, TimeProvider time)
{
    /// <returns>The market whose book needs a new snapshot, because this frame cannot be right; null otherwise.</returns>
    /// <exception cref="EnvelopeLostException">Kafka refused this envelope or an earlier one.</exception>
    public ValueTask<string?> ProcessAsync(in ReceivedFrame received, in ExchangeFrame frame, CancellationToken cancellationToken)
    {
        switch (frame.Type)
        {
            case FrameType.Subscribed or FrameType.Unsubscribed or FrameType.Ok or FrameType.Error:
                return default;
            case FrameType.Private:
                metrics.Dropped(DropReason.Private);
                return default;
            case FrameType.Unknown when frame.TypeName.IsEmpty:
                metrics.Dropped(DropReason.Untyped);
                return default;
        }

        var staged = stage.Process(received, frame);
        switch (staged.Verdict)
        {
            case BookVerdict.Publish:
                metrics.Published(frame.Type);
                return ProduceAsync(staged.Market.Key, staged.Value!, received.ReceivedAt, cancellationToken);
            case BookVerdict.IdenticalSnapshot:
                metrics.Skipped(SkipReason.IdenticalSnapshot);
                return default;
            case BookVerdict.NoOpDelta:
                metrics.Skipped(SkipReason.NoOpDelta);
                return default;
            case BookVerdict.Stale:
                metrics.Dropped(DropReason.Stale);
                return default;
            default:
                metrics.Dropped(DropReason.Broken);
                return PublishStaleAsync(staged.Market, cancellationToken);
        }
    }

    /// <summary>
    /// Something was lost: publishes every book that was right so far once more, marked stale, so that everybody who holds it knows. Their
    /// next snapshots set them right.
    /// </summary>
    /// <exception cref="EnvelopeLostException">Kafka refused some of it; every book is marked all the same.</exception>
    public async Task MarkStaleAsync(CancellationToken cancellationToken)
    {
        EnvelopeLostException? lost = null;
        foreach (var market in markets.Current())
        {
            market.State = BookState.Stale;
            try
            {
                await PublishStaleAsync(market, cancellationToken);
            }
            catch (EnvelopeLostException exception)
            {
                lost = exception;
            }
        }

        if (lost != null) throw lost;
    }

    private async ValueTask<string?> PublishStaleAsync(TrackedMarket market, CancellationToken cancellationToken)
    {
        var value = stage.StaleSnapshot(market);
        metrics.MarkedStale();
        await sink.ProduceAsync(market.Key, value, time.GetTimestamp(), cancellationToken);
        return Encoding.UTF8.GetString(market.Key);
    }

    private async ValueTask<string?> ProduceAsync(byte[] key, byte[] value, long receivedAt, CancellationToken cancellationToken)
    {
        await sink.ProduceAsync(key, value, receivedAt, cancellationToken);
        latencies.Record(Stage.Produced, time.GetElapsedTime(receivedAt));
        return null;
    }
}
