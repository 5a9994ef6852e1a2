namespace MarketData.Ingest.Relay;

/// <summary>
/// The highest term of the leaders of ingest that each partition has shown. What a leader wrote after it was replaced has a lower one than
/// what stands before it, and is passed over. Not thread-safe.
/// </summary>
public sealed class RelayFences
{
    private readonly Dictionary<int, long> _terms = [];

    public long Of(int partition) => _terms.GetValueOrDefault(partition);

    /// <summary>Takes the term of the next record; false when a later leader has written before it.</summary>
    public bool Passes(int partition, long term)
    {
        if (term < Of(partition)) return false;
        _terms[partition] = term;
        return true;
    }

    /// <summary>The partition is read on from a place before which this was the highest term.</summary>
    public void Restart(int partition, long term) => _terms[partition] = term;

    public void Forget(int partition) => _terms.Remove(partition);
}
