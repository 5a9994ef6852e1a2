using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Domain.Frames;
using MarketData.Ingest.Upstream;

namespace MarketData.Ingest.Pipeline;

/// <summary>
/// From a frame to a Kafka record: keeps private frames back, numbers the market's stream, wraps the payload. Called by one loop at a
/// time, which makes the order of arrival the order of the log.
/// </summary>
public sealed class FramePipeline(KafkaSink sink, IngestMetrics metrics, TimeProvider time)
{
    private readonly StreamSequencer _sequencer = new(time.GetUtcNow().ToUnixTimeMilliseconds());
    private readonly EnvelopeWriter _writer = new();

    public ValueTask ProcessAsync(in ReceivedFrame received, in ExchangeFrame frame, CancellationToken cancellationToken)
    {
        switch (frame.Type)
        {
            case FrameType.Subscribed or FrameType.Unsubscribed or FrameType.Ok or FrameType.Error:
                return default;
            case FrameType.Private:
                metrics.Dropped("private");
                return default;
            case FrameType.Unknown when frame.TypeName.IsEmpty:
                metrics.Dropped("untyped");
                return default;
            default:
                var value = Wrap(received, frame, out var key);
                metrics.Published(frame.Type);
                return sink.ProduceAsync(key, value, cancellationToken);
        }
    }

    private byte[] Wrap(in ReceivedFrame received, in ExchangeFrame frame, out byte[] key)
    {
        var bytes = received.Bytes.Span;
        var payload = frame.Json.Of(bytes);
        var channel = frame.Type.Channel();
        var ticker = frame.Ticker.Of(bytes);
        var position = _sequencer.Next(ticker.IsEmpty ? KafkaNames.NoMarketKey : ticker, channel.Stream(), out key);
        return _writer.Write(
            frame.HasPrivateFields ? PrivateFields.Strip(payload) : payload,
            channel == MarketChannel.Other ? frame.TypeName.Of(bytes) : channel.Utf8Name(),
            ticker,
            frame.Seq,
            position,
            received.ReceivedTimestamp,
            time.GetUtcNow().ToUnixTimeMilliseconds()).ToArray();
    }
}
