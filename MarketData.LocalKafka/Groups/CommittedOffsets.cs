using System.Buffers.Binary;
using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;
using Microsoft.Win32.SafeHandles;

namespace MarketData.LocalKafka.Groups;

/// <summary>A committed offset as a client gave it.</summary>
/// <param name="Offset">The next offset the group wants to read.</param>
/// <param name="LeaderEpoch">-1 when the client did not say.</param>
/// <param name="Metadata">The client's own note.</param>
/// <param name="CommittedMs">When, in Unix milliseconds.</param>
internal readonly record struct CommittedOffset(long Offset, int LeaderEpoch, string Metadata, long CommittedMs);

/// <summary>
/// The committed offsets of all groups, in memory and in one append-only file that is written anew when most of it is stale. Not thread-safe:
/// the coordinator's lock guards it.
/// </summary>
/// <remarks>
/// An entry of the file: int32 length of the rest, uint32 CRC-32C of what follows, int8 kind (0 commit, 1 removal), then group, topic,
/// partition and, for a commit, offset, leader epoch, metadata and time. A torn entry at the end was never acknowledged and is cut off.
/// </remarks>
internal sealed partial class CommittedOffsets : IDisposable
{
    private const int MinBytesToCompact = 1024 * 1024;
    private readonly Dictionary<string, Dictionary<(string Topic, int Partition), CommittedOffset>> _groups = new(StringComparer.Ordinal);
    private readonly string _path;
    private readonly FlushMode _flush;
    private readonly ILogger _logger;
    private readonly WireWriter _pending = new();
    private SafeFileHandle _file;
    private long _size;
    private long _sizeAfterCompaction;

    /// <summary>Reads what was committed before.</summary>
    public CommittedOffsets(string path, FlushMode flush, ILogger logger)
    {
        (_path, _flush, _logger) = (path, flush, logger);
        if (File.Exists(path)) Load(File.ReadAllBytes(path));
        _file = Compact();
    }

    public IEnumerable<string> Groups => _groups.Keys;

    public bool HasGroup(string group) => _groups.ContainsKey(group);

    public CommittedOffset? Find(string group, string topic, int partition) =>
        _groups.TryGetValue(group, out var offsets) && offsets.TryGetValue((topic, partition), out var found) ? found : null;

    /// <summary>A copy of what a group has committed.</summary>
    public IReadOnlyList<KeyValuePair<(string Topic, int Partition), CommittedOffset>> OfGroup(string group) =>
        _groups.TryGetValue(group, out var offsets) ? [.. offsets] : [];

    /// <summary>Notes a commit; <see cref="Save"/> makes it last.</summary>
    public void Commit(string group, string topic, int partition, CommittedOffset offset)
    {
        Apply(group, topic, partition, offset);
        WriteEntry(_pending, group, topic, partition, offset);
    }

    /// <summary>Notes that an offset is to be forgotten; <see cref="Save"/> makes it last.</summary>
    public void Remove(string group, string topic, int partition)
    {
        Apply(group, topic, partition, null);
        WriteEntry(_pending, group, topic, partition, null);
    }

    /// <summary>Brings everything noted to the file.</summary>
    /// <exception cref="IOException">The disk is full or failed; what was noted is in memory only.</exception>
    public void Save()
    {
        if (_pending.Length == 0) return;
        try
        {
            RandomAccess.Write(_file, _pending.Written.Span, _size);
            if (_flush == FlushMode.Fsync) RandomAccess.FlushToDisk(_file);
            _size += _pending.Length;
        }
        finally
        {
            _pending.Clear();
        }
        if (_size <= Math.Max(MinBytesToCompact, _sizeAfterCompaction * 4)) return;
        _file.Dispose();
        _file = Compact();
    }

    public void Dispose() => _file.Dispose();

    private void Load(ReadOnlySpan<byte> content)
    {
        var rest = content;
        while (rest.Length >= 8)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(rest);
            if (length < 5 || length > rest.Length - 4) break;
            var entry = rest.Slice(8, length - 4);
            if (BinaryPrimitives.ReadUInt32BigEndian(rest[4..]) != Crc32C.Compute(entry)) break;
            Replay(entry);
            rest = rest[(4 + length)..];
        }
        if (rest.Length > 0) LogTornTail(_logger, rest.Length, _path);
    }

    private void Replay(ReadOnlySpan<byte> entry)
    {
        var reader = new WireReader(entry);
        var isRemoval = reader.ReadBoolean();
        var (group, topic, partition) = (reader.ReadString(), reader.ReadString(), reader.ReadInt32());
        Apply(group, topic, partition, isRemoval ? null : new CommittedOffset(reader.ReadInt64(), reader.ReadInt32(), reader.ReadString(), reader.ReadInt64()));
    }

    private void Apply(string group, string topic, int partition, CommittedOffset? offset)
    {
        if (!_groups.TryGetValue(group, out var offsets)) _groups[group] = offsets = [];
        if (offset is { } committed) offsets[(topic, partition)] = committed;
        else offsets.Remove((topic, partition));
        if (offsets.Count == 0) _groups.Remove(group);
    }

    private SafeFileHandle Compact()
    {
        var content = new WireWriter();
        foreach (var (group, offsets) in _groups)
            foreach (var ((topic, partition), offset) in offsets) WriteEntry(content, group, topic, partition, offset);
        AtomicFile.Write(_path, content.Written.Span);
        _size = _sizeAfterCompaction = content.Length;
        return File.OpenHandle(_path, FileMode.Open, FileAccess.Write, FileShare.Read);
    }

    private static void WriteEntry(WireWriter writer, string group, string topic, int partition, CommittedOffset? offset)
    {
        var start = writer.Length;
        writer.WriteInt32(0);
        writer.WriteInt32(0);
        writer.WriteBoolean(offset is null);
        writer.WriteString(group);
        writer.WriteString(topic);
        writer.WriteInt32(partition);
        if (offset is { } committed)
        {
            writer.WriteInt64(committed.Offset);
            writer.WriteInt32(committed.LeaderEpoch);
            writer.WriteString(committed.Metadata);
            writer.WriteInt64(committed.CommittedMs);
        }
        writer.PatchInt32(start, writer.Length - start - 4);
        writer.PatchInt32(start + 4, (int)Crc32C.Compute(writer.Written.Span[(start + 8)..]));
    }

    [LoggerMessage(201, LogLevel.Warning, "Cut {Bytes} bytes of a torn write from the committed offsets in {Path}; what was acknowledged is whole")]
    private static partial void LogTornTail(ILogger logger, int bytes, string path);
}
