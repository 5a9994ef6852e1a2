namespace MarketData.Gateway.Fanout;

/// <summary>
/// What waits for one client, in order: ranges of the log, and frames of its own between them. Frames that follow on each other in the
/// log are one range, however many. Belongs to the client's worker.
/// </summary>
/// <param name="log">Where the ranges lie.</param>
/// <param name="form">Which encoding of them the client gets.</param>
public sealed class OutgoingQueue(FeedLog log, FrameForm form)
{
    private const int FirstCapacity = 4;

    // A client that needed more for a while does not keep it.
    private const int KeptCapacity = 16;

    private Segment[] _segments = [];
    private int _first, _count;

    /// <summary>Bytes of the first segment that have been taken.</summary>
    private int _taken;

    /// <summary>Bytes that wait.</summary>
    public long Bytes { get; private set; }

    public bool IsEmpty => _count == 0;

    /// <summary>Whether one message waits and nothing else.</summary>
    public bool IsOneMessage => _count == 1 && (At(0).Frame != null || At(0).End - At(0).First == 1);

    /// <summary>Messages that were taken to the end.</summary>
    public long MessagesTaken { get; private set; }

    /// <summary>The oldest entry that is still needed; null when none is.</summary>
    public long? OldestEntry
    {
        get
        {
            for (int i = 0; i < _count; i++)
            {
                if (At(i).Frame == null) return At(i).First;
            }

            return null;
        }
    }

    /// <summary>The last message of the log that waits; null when none does.</summary>
    public long? LastEntry
    {
        get
        {
            for (int i = _count - 1; i >= 0; i--)
            {
                for (long number = At(i).End - 1; At(i).Frame == null && number >= At(i).First; number--)
                {
                    if (log[number].Market != null) return number;
                }
            }

            return null;
        }
    }

    /// <summary>The next bytes, when all that waits is one range of the log; empty when it is not.</summary>
    public ReadOnlySpan<byte> Shared => _count == 1 && At(0).Frame == null ? Piece(At(0), _taken) : default;

    /// <summary>Adds entries of the log from <paramref name="first"/> to before <paramref name="end"/>.</summary>
    public void Add(long first, long end)
    {
        long bytes = log.Bytes(first, end, form);
        // Commands, and messages of before this form was made.
        if (bytes == 0) return;
        Bytes += bytes;
        if (_count > 0)
        {
            ref var last = ref At(_count - 1);
            // What lies between has no bytes in this form.
            if (last.Frame == null && log.Bytes(last.End, first, form) == 0)
            {
                last.End = end;
                return;
            }
        }

        Push(new Segment { First = first, End = end });
    }

    /// <summary>Adds a frame of the client's own.</summary>
    /// <param name="frame">Whole frames.</param>
    /// <param name="state">The state that it carries, when conflation may drop it.</param>
    /// <param name="messages">Messages in it.</param>
    public void Add(byte[] frame, ConflatedState? state = null, long messages = 1)
    {
        Bytes += frame.Length;
        Push(new Segment { Frame = frame, State = state, Messages = messages });
    }

    /// <summary>
    /// The next bytes: of a large or single segment the shared bytes themselves, else copies of the next segments, one after the other.
    /// Copying a few hundred bytes costs a tenth of what it costs to hand the kernel one more piece.
    /// </summary>
    /// <param name="scratch">For copies.</param>
    public ReadOnlySpan<byte> Peek(Span<byte> scratch)
    {
        if (_count == 1 || Length(At(0)) - _taken >= scratch.Length / 4) return Piece(At(0), _taken);
        int length = 0;
        for (int i = 0; i < _count && length < scratch.Length; i++)
        {
            int skip = i == 0 ? _taken : 0;
            long rest = Length(At(i)) - skip;
            if (rest > scratch.Length - length) break;
            CopyTo(At(i), skip, scratch.Slice(length, (int)rest));
            length += (int)rest;
        }

        return scratch[..length];
    }

    /// <summary>Takes this many bytes from the front.</summary>
    public void Take(int bytes)
    {
        Bytes -= bytes;
        while (bytes > 0)
        {
            ref var first = ref At(0);
            long rest = Length(first) - _taken;
            if (bytes < rest)
            {
                _taken += bytes;
                if (first.Frame == null) Advance(ref first);
                return;
            }

            bytes -= (int)rest;
            MessagesTaken += first.Frame == null ? log[first.End].Messages - log[first.First].Messages : first.Messages;
            Pop();
        }
    }

    /// <summary>Drops all but the rest of a frame that has been sent in part.</summary>
    public void Truncate() => Filter((_, _) => false);

    /// <summary>
    /// Drops what <paramref name="keeps"/> refuses; but the rest of a frame that has been sent in part stays. It is asked for each message
    /// with its number in the log, and for each frame of the client's own with its state.
    /// </summary>
    public void Filter(Func<long?, ConflatedState?, bool> keeps)
    {
        var (segments, first, count) = (_segments, _first, _count);
        (_segments, _first, _count) = ([], 0, 0);
        Bytes = 0;
        for (int i = 0; i < count; i++)
        {
            var segment = segments[(first + i) & (segments.Length - 1)];
            bool isPartial = i == 0 && _taken > 0;
            if (segment.Frame != null)
            {
                if (!isPartial && !keeps(null, segment.State)) continue;
                Bytes += segment.Frame.Length;
                Push(segment);
                continue;
            }

            for (long number = segment.First; number < segment.End; number++)
            {
                if (log[number].Market != null && ((isPartial && number == segment.First) || keeps(number, null))) Add(number, number + 1);
            }
        }

        Bytes -= _taken;
    }

    /// <summary>Copies what lies in the log before an entry, so that nothing refers to it any more.</summary>
    public void Detach(long floor)
    {
        var (segments, first, count) = (_segments, _first, _count);
        (_segments, _first, _count) = ([], 0, 0);
        for (int i = 0; i < count; i++)
        {
            var segment = segments[(first + i) & (segments.Length - 1)];
            if (segment.Frame == null && segment.First < floor)
            {
                long end = Math.Min(segment.End, floor);
                var copy = new byte[log.Bytes(segment.First, end, form)];
                log.Ring(form).CopyTo(log[segment.First].Start(form), copy);
                Push(new Segment { Frame = copy, Messages = log[end].Messages - log[segment.First].Messages });
                segment.First = end;
            }

            if (segment.Frame != null || segment.First < segment.End) Push(segment);
        }
    }

    // So that the first entry is the one that is sent in part.
    private void Advance(ref Segment segment)
    {
        long low = segment.First, high = segment.End - 1, at = log[segment.First].Start(form) + _taken;
        while (low < high)
        {
            long middle = low + (high - low + 1) / 2;
            if (log[middle].Start(form) <= at) low = middle;
            else high = middle - 1;
        }

        MessagesTaken += log[low].Messages - log[segment.First].Messages;
        _taken = (int)(at - log[low].Start(form));
        segment.First = low;
    }

    private ReadOnlySpan<byte> Piece(in Segment segment, int skip) => segment.Frame is { } frame
        ? frame.AsSpan(skip)
        : log.Ring(form).Piece(log[segment.First].Start(form) + skip, Length(segment) - skip);

    private void CopyTo(in Segment segment, int skip, Span<byte> target)
    {
        if (segment.Frame is { } frame) frame.AsSpan(skip).CopyTo(target);
        else log.Ring(form).CopyTo(log[segment.First].Start(form) + skip, target);
    }

    private long Length(in Segment segment) => segment.Frame?.Length ?? log.Bytes(segment.First, segment.End, form);

    private ref Segment At(int index) => ref _segments[(_first + index) & (_segments.Length - 1)];

    private void Push(in Segment segment)
    {
        if (_count == _segments.Length)
        {
            var larger = new Segment[Math.Max(FirstCapacity, 2 * _count)];
            for (int i = 0; i < _count; i++) larger[i] = At(i);
            (_segments, _first) = (larger, 0);
        }

        _count++;
        At(_count - 1) = segment;
    }

    private void Pop()
    {
        At(0) = default;
        _first++;
        _count--;
        _taken = 0;
        if (_count > 0) return;
        _first = 0;
        if (_segments.Length > KeptCapacity) _segments = [];
    }

    private struct Segment
    {
        /// <summary>Entries of the log, when there is no frame.</summary>
        public long First, End;
        public byte[]? Frame;

        /// <summary>Messages in the frame.</summary>
        public long Messages;
        public ConflatedState? State;
    }
}
