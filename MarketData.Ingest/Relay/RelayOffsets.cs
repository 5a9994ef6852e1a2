namespace MarketData.Ingest.Relay;

/// <summary>
/// How far each partition is published, and which of it may be committed: an offset is committed only when the snapshot keys hold
/// every change before it, since after a restart the keys are the base of the books. Not thread-safe.
/// </summary>
public sealed class RelayOffsets(RelayOptions options, TimeProvider time)
{
    private readonly Dictionary<int, long> _next = [], _committed = [], _readAgainUntil = [];
    private readonly TimeSpan _commitInterval = TimeSpan.FromMilliseconds(options.CommitIntervalMs);
    private readonly TimeSpan _snapshotInterval = TimeSpan.FromMilliseconds(options.SnapshotIntervalMs);
    private List<(int Partition, long Next)>? _candidates;
    private long _candidatesAt;

    /// <summary>Takes note of an acknowledged message.</summary>
    public void Done(int partition, long offset) => _next[partition] = Math.Max(_next.GetValueOrDefault(partition), offset + 1);

    /// <summary>Whether a message that is read now was read before and is read again for the books only.</summary>
    public bool IsReadAgain(int partition, long offset) => _readAgainUntil.TryGetValue(partition, out long until) && offset < until;

    /// <summary>
    /// Notes that a partition is read again up to an offset. False when that was done before since the partition was assigned: a book
    /// that has no base in the whole log waits for the exchange's next snapshot.
    /// </summary>
    public bool TryReadAgain(int partition, long until) => _readAgainUntil.TryAdd(partition, until);

    /// <summary>
    /// The offsets to commit now, or null. Candidates are taken once per commit interval and given out after the snapshot interval: by
    /// then every key that was due when they were taken has been written.
    /// </summary>
    public IReadOnlyList<(int Partition, long Next)>? TakeCommittable()
    {
        var age = time.GetElapsedTime(_candidatesAt);
        if (_candidates == null)
        {
            if (age < _commitInterval) return null;
            _candidates = [.. _next.Where(next => _committed.GetValueOrDefault(next.Key, -1) < next.Value).Select(next => (next.Key, next.Value))];
            _candidatesAt = time.GetTimestamp();
            return null;
        }

        if (age <= _snapshotInterval) return null;
        var committable = _candidates;
        _candidates = null;
        foreach (var (partition, next) in committable) _committed[partition] = next;
        return committable;
    }

    public void Forget(int partition)
    {
        _next.Remove(partition);
        _committed.Remove(partition);
        _readAgainUntil.Remove(partition);
        _candidates?.RemoveAll(candidate => candidate.Partition == partition);
    }
}
