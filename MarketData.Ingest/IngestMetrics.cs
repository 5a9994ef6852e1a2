using System.Diagnostics.Metrics;
using MarketData.Domain.Frames;

namespace MarketData.Ingest;

/// <summary>The service's counters, on the meter that carries its name.</summary>
public sealed class IngestMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _received, _published, _acknowledged, _dropped, _reconnects, _gaps, _relayed, _snapshotKeys;

    public IngestMetrics(IMeterFactory meters, IHostEnvironment environment)
    {
        _meter = meters.Create(environment.ApplicationName);
        _received = _meter.CreateCounter<long>("ingest.frames.received", "{frame}", "Frames received from the exchange, by type.");
        _published = _meter.CreateCounter<long>("ingest.frames.published", "{frame}", "Envelopes handed to the Kafka producer, by the frame's type.");
        _acknowledged = _meter.CreateCounter<long>("ingest.frames.acknowledged", "{frame}", "Envelopes acknowledged by Kafka.");
        _dropped = _meter.CreateCounter<long>("ingest.frames.dropped", "{frame}", "Frames that do not go on, by reason.");
        _reconnects = _meter.CreateCounter<long>("ingest.upstream.reconnects", "{connection}", "Connections to the exchange after the first.");
        _gaps = _meter.CreateCounter<long>("ingest.upstream.gaps", "{gap}", "Faults in a subscription's sequence numbers.");
        _relayed = _meter.CreateCounter<long>("relay.messages.published", "{message}", "Envelopes acknowledged by Redis.");
        _snapshotKeys = _meter.CreateCounter<long>("relay.snapshots.written", "{key}", "Snapshot keys written to Redis.");
    }

    public void Received(FrameType type) => _received.Add(1, new KeyValuePair<string, object?>("type", TypeNames[(int)type]));

    public void Published(FrameType type) => _published.Add(1, new KeyValuePair<string, object?>("type", TypeNames[(int)type]));

    public void Acknowledged() => _acknowledged.Add(1);

    /// <param name="reason">A word from a small fixed set: <c>malformed</c>, <c>untyped</c>, <c>private</c>, <c>undelivered</c>, <c>unreadable</c>.</param>
    public void Dropped(string reason) => _dropped.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Reconnected() => _reconnects.Add(1);

    public void Gap() => _gaps.Add(1);

    public void Relayed(int messages) => _relayed.Add(messages);

    public void SnapshotKeysWritten(int keys) => _snapshotKeys.Add(keys);

    public void Dispose() => _meter.Dispose();

    // Boxed once: a tag value must not cost an allocation for each frame.
    private static readonly object[] TypeNames = [.. Enum.GetNames<FrameType>().Select(name => (object)System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(name))];
}
