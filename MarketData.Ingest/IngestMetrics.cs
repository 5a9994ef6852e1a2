using System.Diagnostics.Metrics;
using System.Text.Json;
using MarketData.Domain.Frames;

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

    /// <summary>Kafka refused it.</summary>
    Undelivered,

    /// <summary>A record of the log that is no envelope.</summary>
    Unreadable,
}

/// <summary>The service's counters since its start, on the meter that carries its name and for <c>/stats</c>. Thread-safe.</summary>
public sealed class IngestMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly long[] _received = new long[Names<FrameType>().Length], _published = new long[Names<FrameType>().Length];
    private readonly long[] _skipped = new long[Names<SkipReason>().Length], _dropped = new long[Names<DropReason>().Length];
    private long _acknowledged, _reconnects, _gaps, _resyncs, _stale, _relayed, _snapshotKeys, _filledTrades;

    public IngestMetrics(IMeterFactory meters, IHostEnvironment environment)
    {
        _meter = meters.Create(environment.ApplicationName);
        Observe<FrameType>("ingest.frames.received", "type", _received, "{frame}", "Frames received from the exchange, by type.");
        Observe<FrameType>("ingest.frames.published", "type", _published, "{frame}", "Envelopes handed to the Kafka producer, by the frame's type.");
        Observe<SkipReason>("ingest.frames.skipped", "reason", _skipped, "{frame}", "Frames that change nothing and are not published, by reason.");
        Observe<DropReason>("ingest.frames.dropped", "reason", _dropped, "{frame}", "Frames that do not go on, by reason.");
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

    public IReadOnlyDictionary<string, long> ReceivedByType => Counts<FrameType>(_received);

    public IReadOnlyDictionary<string, long> PublishedByType => Counts<FrameType>(_published);

    public IReadOnlyDictionary<string, long> SkippedByReason => Counts<SkipReason>(_skipped);

    /// <summary>Skipped frames among those that were either skipped or published; 0 before the first.</summary>
    public double SkipRate
    {
        get
        {
            long skipped = Sum(_skipped), published = Sum(_published);
            return skipped == 0 ? 0 : (double)skipped / (skipped + published);
        }
    }

    public IReadOnlyDictionary<string, long> DroppedByReason => Counts<DropReason>(_dropped);

    public void Received(FrameType type) => Interlocked.Increment(ref _received[(int)type]);

    public void Published(FrameType type) => Interlocked.Increment(ref _published[(int)type]);

    public void Skipped(SkipReason reason) => Interlocked.Increment(ref _skipped[(int)reason]);

    public void Dropped(DropReason reason) => Interlocked.Increment(ref _dropped[(int)reason]);

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

    private void Observe<T>(string name, string tag, long[] counts, string unit, string description)
        where T : struct, Enum =>
        _meter.CreateObservableCounter(
            name, () => Counts<T>(counts).Select(count => new Measurement<long>(count.Value, new KeyValuePair<string, object?>(tag, count.Key))), unit, description);

    private static long Sum(long[] counts)
    {
        long sum = 0;
        for (int i = 0; i < counts.Length; i++) sum += Interlocked.Read(ref counts[i]);
        return sum;
    }

    // Only what has happened: a list of zeros tells nothing.
    private static Dictionary<string, long> Counts<T>(long[] counts)
        where T : struct, Enum
    {
        var byName = new Dictionary<string, long>();
        var names = Names<T>();
        for (int i = 0; i < counts.Length; i++)
        {
            if (Interlocked.Read(ref counts[i]) is > 0 and var count) byName[names[i]] = count;
        }

        return byName;
    }

    private static string[] Names<T>()
        where T : struct, Enum => NameCache<T>.Names;

    private static class NameCache<T>
        where T : struct, Enum
    {
        public static readonly string[] Names = [.. Enum.GetNames<T>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];
    }
}
