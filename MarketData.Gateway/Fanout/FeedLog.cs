using System.Diagnostics;
using System.Numerics;
using MarketData.Domain.Channels;
using MarketData.Gateway.Channels;
using MarketData.ServiceDefaults.WebSockets;

namespace MarketData.Gateway.Fanout;

/// <summary>How a client's frames are encoded.</summary>
public enum FrameForm : byte
{
    Plain,

    /// <summary>Compressed by permessage-deflate, without context takeover.</summary>
    Deflated,
}

/// <summary>One message for all who want it, or one command for the worker of one client.</summary>
public struct LogEntry
{
    /// <summary>Where its frame begins in the ring of plain frames; the next entry begins where it ends.</summary>
    public long Plain { get; set; }

    /// <summary>The same in the ring of compressed frames.</summary>
    public long Deflated { get; set; }

    /// <summary>Messages before it.</summary>
    public long Messages { get; set; }

    /// <summary>Null for a command.</summary>
    public Market? Market { get; set; }

    public MarketChannel Channel { get; set; }

    /// <summary>When it was received from the exchange, Unix milliseconds; null for what the gateway has made.</summary>
    public long? ReceivedAt { get; set; }

    /// <summary>What the worker of one client has to do at this place; taken away once done.</summary>
    public ClientCommand? Command { get; set; }

    /// <summary>What the message is part of, when it can be conflated.</summary>
    public readonly ConflatedState State => new(Market!, Channel.Stream());

    public readonly long Start(FrameForm form) => form == FrameForm.Plain ? Plain : Deflated;
}

/// <summary>
/// What the feed tells the fan-out workers, in one order: messages, whose frames lie once in shared rings, and commands between them. The
/// feed alone writes; each worker reads at its own pace and says by its floor which entries it and its clients do not need any more. The
/// writer waits for the slowest floor before it overwrites.
/// </summary>
public sealed class FeedLog
{
    // Shorter messages than this are rare; should they be many, the entries end before the bytes.
    private const int BytesPerEntry = 256;

    private const long NotWaiting = long.MaxValue;

    // Waiting for a floor: the workers have been woken, and a pass over their clients takes milliseconds.
    private static readonly TimeSpan FloorWait = TimeSpan.FromMilliseconds(1);

    private readonly LogEntry[] _entries;
    private readonly FrameRing _plain;
    private readonly Action _wake;
    private readonly byte[] _header = new byte[WebSocketFrame.MaxHeaderLength];
    private volatile FrameRing? _deflated;
    private LogFloor[] _floors = [];
    private long _head, _lowest, _waitingSince = NotWaiting;

    /// <param name="bytes">Of frames that are kept; rounded up to a power of two.</param>
    /// <param name="wake">Wakes the workers when the writer waits for them.</param>
    public FeedLog(int bytes, Action wake)
    {
        _plain = new FrameRing((int)BitOperations.RoundUpToPowerOf2((uint)bytes));
        _entries = new LogEntry[_plain.Capacity / BytesPerEntry];
        _wake = wake;
    }

    /// <summary>The number of the next entry; all before it may be read down to one's own floor.</summary>
    public long Head => Volatile.Read(ref _head);

    /// <summary>The oldest entry that is surely not overwritten, for the writer.</summary>
    public long Oldest => _lowest;

    /// <summary>For how long the writer has been waiting for a reader; zero when it is not.</summary>
    public TimeSpan Waiting => WaitingSince is var since && since == NotWaiting ? TimeSpan.Zero : Stopwatch.GetElapsedTime(since);

    /// <summary>The largest message that is taken, in bytes.</summary>
    public int MaxMessage => _plain.Capacity / 8;

    public ref LogEntry this[long number] => ref _entries[number & (_entries.Length - 1)];

    /// <summary>Registers readers, before anything is written.</summary>
    public void Open(LogFloor[] floors) => _floors = floors;

    public FrameRing Ring(FrameForm form) => form == FrameForm.Plain ? _plain : _deflated!;

    /// <summary>Bytes of the frames of entries from <paramref name="first"/> to before <paramref name="end"/>.</summary>
    public long Bytes(long first, long end, FrameForm form) => this[end].Start(form) - this[first].Start(form);

    /// <summary>What entries hold, as far as it lies in one piece.</summary>
    /// <param name="first">The first entry.</param>
    /// <param name="end">The one after the last.</param>
    /// <param name="form">How they are encoded.</param>
    /// <param name="bytes">How much they hold in all.</param>
    public ReadOnlySpan<byte> Piece(long first, long end, FrameForm form, out long bytes)
    {
        bytes = Bytes(first, end, form);
        return bytes == 0 ? default : Ring(form).Piece(this[first].Start(form), bytes);
    }

    /// <summary>Whether so much lies between a floor and the entry that its reader has come to, that it should raise the floor.</summary>
    public bool IsFar(long floor, long number) => !IsWithin(floor, number, 2);

    /// <summary>The oldest entry that may still be needed when a reader that has come to <paramref name="number"/> raises its floor.</summary>
    public long NewFloor(long floor, long number)
    {
        long low = floor, high = number;
        while (low < high)
        {
            long middle = low + (high - low) / 2;
            if (IsWithin(middle, number, 4)) high = middle;
            else low = middle + 1;
        }

        return low;
    }

    /// <summary>From now on frames are compressed too. Called by the writer, before the first client of that form is given anything.</summary>
    public void Deflate() => _deflated ??= new FrameRing(_plain.Capacity);

    /// <summary>Adds a message and returns its number.</summary>
    public long Append(Market market, MarketChannel channel, ReadOnlySpan<byte> message, long? receivedAt = null)
    {
        int header = WebSocketFrame.WriteHeader(_header, WebSocketOpcode.Text, message.Length);
        var deflated = _deflated == null ? default : FrameDeflater.Encode(message);
        WaitForRoom(header + message.Length, deflated.Length);
        long number = _head;
        ref var entry = ref this[number];
        (entry.Market, entry.Channel, entry.ReceivedAt) = (market, channel, receivedAt);
        _plain.Write(entry.Plain, _header.AsSpan(0, header));
        _plain.Write(entry.Plain + header, message);
        _deflated?.Write(entry.Deflated, deflated);
        Publish(entry.Plain + header + message.Length, entry.Deflated + deflated.Length, entry.Messages + 1);
        return number;
    }

    /// <summary>The plain frames of messages that are not overwritten, one after the other. For the writer.</summary>
    public byte[] Copy(IReadOnlyList<long> numbers)
    {
        var frames = new byte[numbers.Sum(number => Bytes(number, number + 1, FrameForm.Plain))];
        int at = 0;
        foreach (long number in numbers)
        {
            int length = (int)Bytes(number, number + 1, FrameForm.Plain);
            _plain.CopyTo(this[number].Plain, frames.AsSpan(at, length));
            at += length;
        }

        return frames;
    }

    /// <summary>Adds a command: it takes effect after all messages before it and before all after it.</summary>
    public void Append(ClientCommand command)
    {
        WaitForRoom(0, 0);
        ref var entry = ref this[_head];
        entry.Command = command;
        Publish(entry.Plain, entry.Deflated, entry.Messages);
    }

    // The entry at the head is always there already with its start: that is where the one before it ends.
    private void Publish(long plain, long deflated, long messages)
    {
        this[_head + 1] = new LogEntry { Plain = plain, Deflated = deflated, Messages = messages };
        Volatile.Write(ref _head, _head + 1);
    }

    private void WaitForRoom(int plain, int deflated)
    {
        if (HasRoom(plain, deflated)) return;
        while (true)
        {
            // A worker that has ended needs nothing, so this ends when the gateway does.
            _lowest = _floors.Aggregate(_head, (lowest, floor) => Math.Min(lowest, floor.Entry));
            if (HasRoom(plain, deflated)) break;
            if (WaitingSince == NotWaiting) Volatile.Write(ref _waitingSince, Stopwatch.GetTimestamp());
            _wake();
            Thread.Sleep(FloorWait);
        }

        Volatile.Write(ref _waitingSince, NotWaiting);
    }

    private long WaitingSince => Volatile.Read(ref _waitingSince);

    private bool IsWithin(long first, long end, int part) =>
        end - first <= _entries.Length / part
        && Bytes(first, end, FrameForm.Plain) <= _plain.Capacity / part
        && Bytes(first, end, FrameForm.Deflated) <= _plain.Capacity / part;

    private bool HasRoom(int plain, int deflated)
    {
        ref var head = ref this[_head];
        ref var lowest = ref this[_lowest];
        return _head + 2 - _lowest < _entries.Length
            && head.Plain + plain - lowest.Plain <= _plain.Capacity
            && head.Deflated + deflated - lowest.Deflated <= _plain.Capacity;
    }
}

/// <summary>The oldest entry that one reader still needs. Written by the reader, read by the writer.</summary>
public sealed class LogFloor
{
    private long _entry;

    public long Entry
    {
        get => Volatile.Read(ref _entry);
        set => Volatile.Write(ref _entry, value);
    }
}
