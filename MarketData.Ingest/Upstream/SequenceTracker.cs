using System.Runtime.InteropServices;

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

    /// <summary>The last number taken on a subscription; 0 before the first.</summary>
    public long Last(long sid) => _last.GetValueOrDefault(sid);

    /// <summary>Takes the number of a frame, unless it came before.</summary>
    public SequenceStep Take(long sid, long seq)
    {
        // Before the first number there is 0: a subscription that begins with another number than 1 has lost what came before.
        ref long last = ref CollectionsMarshal.GetValueRefOrAddDefault(_last, sid, out _);
        if (seq <= last) return SequenceStep.Repeated;
        bool follows = seq == last + 1;
        last = seq;
        return follows ? SequenceStep.InOrder : SequenceStep.Gap;
    }
}
