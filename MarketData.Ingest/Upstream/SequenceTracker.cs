namespace MarketData.Ingest.Upstream;

/// <summary>How a frame's number follows on the one before it.</summary>
public enum SequenceStep : byte
{
    InOrder,

    /// <summary>Frames are missing before this one.</summary>
    Gap,

    /// <summary>A number that came before: a frame sent twice, or a count that went back.</summary>
    Repeated,
}

/// <summary>
/// Checks the sequence numbers of one connection. They count 1, 2, 3 … for each subscription, over all its markets and all its frames
/// that carry one, so after a hole nobody can say which market lost a change. Not thread-safe.
/// </summary>
public sealed class SequenceTracker
{
    private readonly Dictionary<long, long> _last = [];
    private bool _sawUnreadable;

    /// <summary>The last number taken on a subscription; 0 before the first.</summary>
    public long Last(long sid) => _last.GetValueOrDefault(sid);

    /// <summary>Takes the number of a frame, unless it came before.</summary>
    public SequenceStep Take(long sid, long seq)
    {
        if (!_last.TryGetValue(sid, out long last))
        {
            // The first number seen is the base, unless the frame before it may have been one that could not be read.
            last = _sawUnreadable ? 0 : seq - 1;
        }

        if (seq <= last) return SequenceStep.Repeated;
        _last[sid] = seq;
        return seq == last + 1 ? SequenceStep.InOrder : SequenceStep.Gap;
    }

    /// <summary>A frame could not be read: if it carried a number, the next one of its subscription shows the hole.</summary>
    public void SkipUnreadable() => _sawUnreadable = true;
}
