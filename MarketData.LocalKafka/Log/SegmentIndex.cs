using System.Buffers.Binary;
using System.Runtime.InteropServices;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Log;

/// <summary>
/// A sparse index over one segment, one entry every few kilobytes, that answers by offset and by time. Each entry is the start of a batch:
/// its offset, its place in the file, and the greatest timestamp of all batches <em>before</em> it. That maximum only grows, so it can be
/// searched by halves even when the timestamps of the log are out of order. Not thread-safe: the partition's lock guards it.
/// </summary>
internal sealed class SegmentIndex
{
    private const uint FileMagic = 0x4C4B4958; // "LKIX"
    private const int FileHeaderSize = 40, EntrySize = 16;
    private readonly List<Entry> _entries = [];

    private readonly record struct Entry(int RelativeOffset, int Position, long MaxTimestampBefore);

    /// <summary>What a saved index says of the part of the segment it covers.</summary>
    /// <param name="Bytes">Length of that part.</param>
    /// <param name="NextOffset">Offset after its last record.</param>
    /// <param name="MaxTimestamp">Greatest timestamp in it, in Unix milliseconds; -1 when it is empty.</param>
    public readonly record struct Coverage(int Bytes, long NextOffset, long MaxTimestamp);

    public void Add(int relativeOffset, int position, long maxTimestampBefore) => _entries.Add(new Entry(relativeOffset, position, maxTimestampBefore));

    public int LastPosition => _entries.Count == 0 ? int.MinValue : _entries[^1].Position;

    /// <summary>Position of a batch that begins at or before an offset: where a scan for it may start.</summary>
    public int FindOffset(long relativeOffset) => PositionBefore(entry => entry.RelativeOffset <= relativeOffset);

    /// <summary>Position before which every batch is older than a time.</summary>
    public int FindTimestamp(long timestamp) => PositionBefore(entry => entry.MaxTimestampBefore < timestamp);

    /// <summary>The last indexed batch start at or before a position.</summary>
    public int FindPosition(long position) => PositionBefore(entry => entry.Position <= position);

    /// <summary>The index as a file's content, complete up to <paramref name="coverage"/>.</summary>
    public byte[] Serialize(Coverage coverage)
    {
        var bytes = new byte[FileHeaderSize + _entries.Count * EntrySize];
        for (var i = 0; i < _entries.Count; i++)
        {
            var entry = bytes.AsSpan(FileHeaderSize + i * EntrySize);
            BinaryPrimitives.WriteInt32BigEndian(entry, _entries[i].RelativeOffset);
            BinaryPrimitives.WriteInt32BigEndian(entry[4..], _entries[i].Position);
            BinaryPrimitives.WriteInt64BigEndian(entry[8..], _entries[i].MaxTimestampBefore);
        }
        BinaryPrimitives.WriteUInt32BigEndian(bytes, FileMagic);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), coverage.Bytes);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(8), coverage.NextOffset);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(16), coverage.MaxTimestamp);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(24), _entries.Count);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(28), Crc32C.Compute(bytes.AsSpan(FileHeaderSize)));
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(32), Crc32C.Compute(bytes.AsSpan(0, 32)));
        return bytes;
    }

    /// <summary>Reads a saved index.</summary>
    /// <returns>Null when the file is missing or damaged: the segment must then be scanned.</returns>
    public static (SegmentIndex Index, Coverage Coverage)? Load(string path)
    {
        if (!File.Exists(path)) return null;
        var bytes = File.ReadAllBytes(path);
        if (bytes.Length < FileHeaderSize || BinaryPrimitives.ReadUInt32BigEndian(bytes) != FileMagic) return null;
        if (BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(32)) != Crc32C.Compute(bytes.AsSpan(0, 32))) return null;
        var count = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(24));
        if (bytes.Length != FileHeaderSize + (long)count * EntrySize) return null;
        if (BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(28)) != Crc32C.Compute(bytes.AsSpan(FileHeaderSize))) return null;
        var index = new SegmentIndex();
        CollectionsMarshal.SetCount(index._entries, count);
        var entries = CollectionsMarshal.AsSpan(index._entries);
        for (var i = 0; i < count; i++)
        {
            var entry = bytes.AsSpan(FileHeaderSize + i * EntrySize);
            entries[i] = new Entry(BinaryPrimitives.ReadInt32BigEndian(entry), BinaryPrimitives.ReadInt32BigEndian(entry[4..]), BinaryPrimitives.ReadInt64BigEndian(entry[8..]));
        }
        var coverage = new Coverage(
            BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(4)), BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(8)), BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(16)));
        return (index, coverage);
    }

    private int PositionBefore(Func<Entry, bool> holds)
    {
        int low = 0, high = _entries.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (holds(_entries[middle])) low = middle + 1;
            else high = middle;
        }
        return low == 0 ? 0 : _entries[low - 1].Position;
    }
}
