namespace MarketData.MockKalshi.Exchange.Truth;

/// <summary>
/// What a stream had arrived at with each of its latest frames: from a frame's <c>seq</c> to a position that only grows. Not
/// thread-safe.
/// </summary>
internal sealed class SeqTrail
{
    /// <summary>The latest frames of one subscription; memory grows to this only as frames come. 1 MiB.</summary>
    public const int Held = 1 << 16;

    private const int FirstCapacity = 64;

    private (long Seq, long Position)[] _ring = [];
    private int _count, _next;

    /// <param name="seq">Above every one before.</param>
    /// <param name="position">Not below any before.</param>
    public void Add(long seq, long position)
    {
        if (_next == _ring.Length) Wrap();
        _ring[_next++] = (seq, position);
        _count = Math.Max(_count, _next);
    }

    /// <summary>Forgets everything: numbers or positions begin again.</summary>
    public void Clear() => (_count, _next) = (0, 0);

    /// <summary>The position with the last frame up to a number; null when that frame is not held.</summary>
    public long? PositionAt(long seq)
    {
        // Before the first wrap the oldest is at 0, after it at _next.
        int oldest = _count == _next ? 0 : _next;
        int low = 0, high = _count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_ring[(oldest + middle) % _count].Seq <= seq) low = middle + 1;
            else high = middle;
        }

        return low == 0 ? null : _ring[(oldest + low - 1) % _count].Position;
    }

    private void Wrap()
    {
        if (_ring.Length < Held) Array.Resize(ref _ring, Math.Max(FirstCapacity, _ring.Length * 2));
        else _next = 0;
    }
}
