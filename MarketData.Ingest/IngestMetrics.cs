using System.Diagnostics.Metrics;
using MarketData.Domain.Frames;
using MarketData.ServiceDefaults.Metrics;

namespace MarketData.Ingest;

/// <summary>Why a frame that changes nothing is not published.</summary>
public enum SkipReason : byte
{
    IdenticalSnapshot,
    NoOpDelta,

    /// <summary>A trade that the log has.</summary>
    RepeatedTrade,
}

/// <summary>Why a frame or record does not go on.</summary>
public enum DropReason : byte
{
    /// <summary>Concerns the connected account.</summary>
    Private,

    /// <summary>Says not what it is.</summary>
    Untyped,

    /// <summary>Cannot be read.</summary>
    Malformed,

    /// <summary>A delta of a book that waits for its snapshot.</summary>
    Stale,

    /// <summary>A book frame that does not fit the book.</summary>
    Broken,

    /// <summary>Came with a number that had come before.</summary>
    Repeated,

    /// <summary>Written by a leader after another had replaced it.</summary>
    Fenced,

    /// <summary>A book or ticker left out because the queue to Kafka is nearly full.</summary>
    Spilled,

    /// <summary>Kafka refused it.</summary>
    Undelivered,

    /// <summary>A record of the log that is no envelope.</summary>
    Unreadable,
}

/// <summary>The service's counters since its start, on the meter that carries its name and for <c>/stats</c>. Thread-safe.</summary>
public sealed class IngestMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly CountsBy<FrameType> _received = new(), _published = new();
    private readonly CountsBy<SkipReason> _skipped = new();
    private readonly CountsBy<DropReason> _dropped = new();
    private long _acknowledged, _reconnects, _gaps, _resyncs, _stale, _relayed, _snapshotKeys, _filledTrades;

    public IngestMetrics(IMeterFactory meters, IHostEnvironment environment)
    {
        _meter = meters.Create(environment.ApplicationName);
        _received.Observe(_meter, "ingest.frames.received", "type", "{frame}", "Frames received from the exchange, by type.");
        _published.Observe(_meter, "ingest.frames.published", "type", "{frame}", "Envelopes handed to the Kafka producer, by the frame's type.");
        _skipped.Observe(_meter, "ingest.frames.skipped", "reason", "{frame}", "Frames that change nothing and are not published, by reason.");
        _dropped.Observe(_meter, "ingest.frames.dropped", "reason", "{frame}", "Frames that do not go on, by reason.");
        Observe("ingest.frames.acknowledged", () => Acknowledgements, "{frame}", "Envelopes acknowledged by Kafka.");
        Observe("ingest.upstream.reconnects", () => Reconnects, "{connection}", "Connections to the exchange after the first.");
        Observe("ingest.upstream.gaps", () => Gaps, "{gap}", "Faults in a subscription's sequence numbers.");
        Observe("ingest.upstream.resyncs", () => Resyncs, "{market}", "Books asked for anew on a running connection.");
        Observe("ingest.trades.filled", () => FilledTrades, "{trade}", "Missed trades that were published from the exchange's REST API.");
        Observe("ingest.books.stale", () => MarkedStaleCount, "{book}", "Books published as stale, after a loss.");
        Observe("relay.messages.published", () => RelayedMessages, "{message}", "Envelopes acknowledged by Redis.");
        Observe("relay.snapshots.written", () => SnapshotKeys, "{key}", "Snapshot keys written to Redis.");
    }

    public long Acknowledgements => Interlocked.Read(ref _acknowledged);

    public long Reconnects => Interlocked.Read(ref _reconnects);

    public long Gaps => Interlocked.Read(ref _gaps);

    public long Resyncs => Interlocked.Read(ref _resyncs);

    public long FilledTrades => Interlocked.Read(ref _filledTrades);

    public long MarkedStaleCount => Interlocked.Read(ref _stale);

    public long RelayedMessages => Interlocked.Read(ref _relayed);

    public long SnapshotKeys => Interlocked.Read(ref _snapshotKeys);

    public IReadOnlyDictionary<string, long> ReceivedByType => _received.ByName;

    public IReadOnlyDictionary<string, long> PublishedByType => _published.ByName;

    public IReadOnlyDictionary<string, long> SkippedByReason => _skipped.ByName;

    /// <summary>Skipped frames among those that were either skipped or published; 0 before the first.</summary>
    public double SkipRate
    {
        get
        {
            long skipped = _skipped.Sum, published = _published.Sum;
            return skipped == 0 ? 0 : (double)skipped / (skipped + published);
        }
    }

    public IReadOnlyDictionary<string, long> DroppedByReason => _dropped.ByName;

    public void Received(FrameType type) => _received.Increment(type);

    public void Published(FrameType type) => _published.Increment(type);

    public void Skipped(SkipReason reason) => _skipped.Increment(reason);

    public void Dropped(DropReason reason) => _dropped.Increment(reason);

    public void Acknowledged() => Interlocked.Increment(ref _acknowledged);

    public void Reconnected() => Interlocked.Increment(ref _reconnects);

    public void Gap() => Interlocked.Increment(ref _gaps);

    public void Resynced(int markets) => Interlocked.Add(ref _resyncs, markets);

    public void FilledTrade() => Interlocked.Increment(ref _filledTrades);

    public void MarkedStale() => Interlocked.Increment(ref _stale);

    public void Relayed(int messages) => Interlocked.Add(ref _relayed, messages);

    public void SnapshotKeysWritten(int keys) => Interlocked.Add(ref _snapshotKeys, keys);

    public void Dispose() => _meter.Dispose();

    private void Observe(string name, Func<long> value, string unit, string description) =>
        _meter.CreateObservableCounter(name, value, unit, description);
}
