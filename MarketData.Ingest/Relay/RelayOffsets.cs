using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Relay;

/// <summary>How far each partition is published, and which of it may be committed. Not thread-safe.</summary>
public sealed class RelayOffsets(IOptions<RelayOptions> options, TimeProvider time)
{
    private readonly Dictionary<int, Progress> _partitions = [];
    private readonly TimeSpan _commitInterval = TimeSpan.FromMilliseconds(options.Value.CommitIntervalMs);
    private List<PartitionOffset>? _candidates;
    private long _candidatesAt;

    /// <summary>The offset after the last acknowledged message; null before the first.</summary>
    public long? Next(int partition) => _partitions.GetValueOrDefault(partition)?.Next;

    /// <summary>The offset that this relay committed last; null before the first.</summary>
    public long? Committed(int partition) => _partitions.GetValueOrDefault(partition)?.Committed;

    /// <summary>Takes note that everything up to an offset is acknowledged.</summary>
    public void Done(int partition, long offset)
    {
        var progress = Of(partition);
        if (progress.ReadAgainUntil is { } until)
        {
            if (offset + 1 < until) return;
            progress.ReadAgainUntil = null;
        }

        progress.Next = offset + 1;
    }

    /// <summary>Whether a message that is read now was published before and is read again for the books only.</summary>
    public bool IsReadAgain(int partition, long offset) =>
        _partitions.TryGetValue(partition, out var progress) && offset < progress.ReadAgainUntil;

    /// <summary>Notes that a partition is read again up to an offset. Nothing of it is committed until then.</summary>
    public void ReadAgain(int partition, long until)
    {
        Of(partition).ReadAgainUntil = until;
        _candidates?.RemoveAll(candidate => candidate.Partition == partition);
    }

    /// <summary>
    /// Whether all that the log has of a partition has passed through this relay, or is on its way: then its memory lacks no book that
    /// reading the log again could bring.
    /// </summary>
    public bool IsWhole(int partition) => _partitions.TryGetValue(partition, out var progress) && progress.IsWhole;

    public void MarkWhole(int partition) => Of(partition).IsWhole = true;

    /// <summary>
    /// The offsets to commit now, or null. An offset is given out only when the keys in Redis hold every change before it, since after a
    /// restart the keys are the base of the books: candidates are taken once per commit interval, and given out when no market that was
    /// changed before then waits for its keys to be written.
    /// </summary>
    public IReadOnlyList<PartitionOffset>? TakeCommittable(RelayMarkets markets)
    {
        if (_candidates == null)
        {
            if (time.GetElapsedTime(_candidatesAt) < _commitInterval) return null;
            _candidatesAt = time.GetTimestamp();
            _candidates = Published();
        }

        if (markets.HasDirtySince(_candidatesAt)) return null;
        var committable = _candidates;
        _candidates = null;
        return committable;
    }

    /// <summary>Takes note of what was committed.</summary>
    public void Commit(IEnumerable<PartitionOffset> committed)
    {
        foreach (var (partition, offset) in committed) Of(partition).Committed = offset;
    }

    /// <summary>Everything that is published and not committed, whether or not the keys hold it.</summary>
    public List<PartitionOffset> Published() =>
    [
        .. _partitions
            .Where(partition => partition.Value.ReadAgainUntil == null && partition.Value.Next != null && partition.Value.Next != partition.Value.Committed)
            .Select(partition => new PartitionOffset(partition.Key, partition.Value.Next!.Value)),
    ];

    /// <summary>Redis may have lost what was written: everything is committed anew, once the keys are written again.</summary>
    public void Restart()
    {
        _candidates = null;
        foreach (var progress in _partitions.Values) progress.Committed = null;
    }

    public void Forget(int partition)
    {
        _partitions.Remove(partition);
        _candidates?.RemoveAll(candidate => candidate.Partition == partition);
    }

    private Progress Of(int partition) =>
        _partitions.TryGetValue(partition, out var progress) ? progress : _partitions[partition] = new Progress();

    private sealed class Progress
    {
        public long? Next { get; set; }

        public long? Committed { get; set; }

        public long? ReadAgainUntil { get; set; }

        public bool IsWhole { get; set; }
    }
}

/// <summary>A place in the log.</summary>
public readonly record struct PartitionOffset(int Partition, long Offset);
