using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Faults;

/// <summary>
/// Frames of one sid, in their order, that wait until a frame of another sid has gone ahead of them. They go when they are released,
/// when too many wait, or when their patience ends. Thread-safe, because the patience ends on a timer.
/// </summary>
internal sealed class HeldFrames : IDisposable
{
    private const int MaxFrames = 64;

    private readonly Lock _gate = new();
    private readonly List<(byte[] Text, bool Live)> _frames = [];
    private readonly OutboundQueue _queue;
    private readonly ITimer _patience;
    private bool _released;

    public HeldFrames(in OutgoingFrame first, TimeSpan patience, TimeProvider timeProvider)
    {
        _queue = first.Queue;
        Sid = first.Sid;
        _frames.Add((first.Text.ToArray(), first.Live));
        _patience = timeProvider.CreateTimer(_ => Release(), null, patience, Timeout.InfiniteTimeSpan);
    }

    public long Sid { get; }

    /// <summary>False when the frame is of another sid, or these are on their way already and it may follow them.</summary>
    public bool TryHold(in OutgoingFrame frame, ReadOnlySpan<byte> text)
    {
        if (frame.Sid != Sid) return false;
        lock (_gate)
        {
            if (_released) return false;
            _frames.Add((text.ToArray(), frame.Live));
            if (_frames.Count >= MaxFrames) Release();
            return true;
        }
    }

    /// <summary>Releases what is held.</summary>
    public void Dispose()
    {
        Release();
        _patience.Dispose();
    }

    private void Release()
    {
        lock (_gate)
        {
            if (_released) return;
            _released = true;
            foreach (var (text, live) in _frames)
            {
                if (live) _queue.AddStreamFrame(text);
                else _queue.AddText(text);
            }

            _frames.Clear();
        }
    }
}
