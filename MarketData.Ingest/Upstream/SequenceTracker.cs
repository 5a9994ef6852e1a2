namespace MarketData.Ingest.Upstream;

/// <summary>
/// Checks the sequence numbers of one connection. They count 1, 2, 3 … for each subscription, over all its markets and all its frames
/// that carry one, so after a hole nobody can say which market lost a change. Not thread-safe.
/// </summary>
public sealed class SequenceTracker
{
    private readonly Dictionary<long, long> _last = [];
    private bool _sawUnreadable;

    /// <summary>Takes the number of a frame.</summary>
    /// <exception cref="SequenceException">It does not follow on the subscription's last one.</exception>
    public void Take(long sid, long seq)
    {
        if (!_last.TryGetValue(sid, out long last))
        {
            // The first number seen is the base, unless the frame before it may have been one that could not be read.
            last = _sawUnreadable ? 0 : seq - 1;
        }

        // A number that came before is a fault too: a repeated delta would count twice in every book.
        if (seq != last + 1) throw new SequenceException(sid, last, seq);
        _last[sid] = seq;
    }

    /// <summary>A frame could not be read: if it carried a number, the next one of its subscription shows the hole.</summary>
    public void SkipUnreadable() => _sawUnreadable = true;
}

/// <summary>A subscription's sequence numbers have a hole or go back.</summary>
public sealed class SequenceException(long sid, long last, long seq)
    : Exception(seq > last
        ? $"Subscription {sid} went from sequence number {last} to {seq}: {seq - last - 1} frames are missing."
        : $"Subscription {sid} went back from sequence number {last} to {seq}.");
