using MarketData.LocalKafka.Protocol;
using Microsoft.Win32.SafeHandles;

namespace MarketData.LocalKafka.Log;

/// <summary>
/// Opens the segments of a partition after a stop of any kind. A torn tail is cut off. Damage in the middle costs only what is damaged:
/// sound batches behind it become a segment of their own, and the damaged bytes are kept beside the log.
/// </summary>
internal sealed partial class LogRecovery(string directory, string partition, int indexInterval, ILogger logger)
{
    private const int CopySize = 1024 * 1024;

    /// <summary>Opens every segment, oldest first; makes the first one in an empty directory.</summary>
    public List<LogSegment> OpenSegments(long firstOffset)
    {
        var segments = new List<LogSegment>();
        var paths = new Queue<string>(Directory.GetFiles(directory, "*.log").Order(StringComparer.Ordinal));
        while (paths.TryDequeue(out var path))
        {
            var segment = LogSegment.Open(path, indexInterval, out var damagedBytes);
            segments.Add(segment);
            while (damagedBytes > 0)
            {
                var rest = SplitAtDamage(segment, damagedBytes);
                if (rest is null) break;
                segment = LogSegment.Open(rest, indexInterval, out damagedBytes);
                segments.Add(segment);
            }
        }
        if (segments.Count == 0) segments.Add(LogSegment.Create(directory, firstOffset, indexInterval));
        return segments;
    }

    /// <summary>Cuts a segment before its damage.</summary>
    /// <returns>The file with the sound batches behind the damage, or null when there are none.</returns>
    private string? SplitAtDamage(LogSegment segment, long damagedBytes)
    {
        var length = segment.Size + damagedBytes;
        var next = FindNextBatch(segment.File, segment.Size, length, segment.NextOffset);
        if (next is not { } sound)
        {
            LogTornTail(logger, partition, damagedBytes, segment.NextOffset);
            segment.Truncate();
            return null;
        }
        var aside = Path.Combine(directory, LogSegment.FileName(segment.NextOffset)[..^4] + ".damaged");
        LogDamage(logger, partition, segment.NextOffset, sound.BaseOffset - 1, aside);
        Copy(segment.File, segment.Size, sound.Position, aside);
        var rest = Path.Combine(directory, LogSegment.FileName(sound.BaseOffset));
        Copy(segment.File, sound.Position, length, rest + ".new");
        File.Move(rest + ".new", rest);
        segment.Truncate();
        return rest;
    }

    private static (long Position, long BaseOffset)? FindNextBatch(SafeFileHandle file, long start, long end, long minOffset)
    {
        var window = new byte[CopySize];
        for (var windowStart = start; windowStart < end;)
        {
            var read = RandomAccess.Read(file, window, windowStart);
            for (var i = 0; i + RecordBatch.HeaderSize <= read; i++)
            {
                var position = windowStart + i;
                if (!RecordBatch.TryRead(window.AsSpan(i, read - i), out var batch) || batch.Size > end - position) continue;
                if (batch.BaseOffset < minOffset || batch.BaseOffset - minOffset > int.MaxValue || batch.LastOffsetDelta < 0) continue;
                using var scanner = new BatchScanner(file, position, end, RecordBatch.HeaderSize);
                if (scanner.TryReadHeader(out _) && batch.HasValidChecksum(scanner.ReadBytes(batch))) return (position, batch.BaseOffset);
            }
            if (read < RecordBatch.HeaderSize) break;
            windowStart += read - RecordBatch.HeaderSize + 1;
        }
        return null;
    }

    private static void Copy(SafeFileHandle from, long start, long end, string to)
    {
        using var target = File.OpenHandle(to, FileMode.Create, FileAccess.Write);
        var chunk = new byte[CopySize];
        for (var position = start; position < end;)
        {
            var read = RandomAccess.Read(from, chunk.AsSpan(0, (int)Math.Min(chunk.Length, end - position)), position);
            if (read == 0) break;
            RandomAccess.Write(target, chunk.AsSpan(0, read), position - start);
            position += read;
        }
        RandomAccess.FlushToDisk(target);
    }

    [LoggerMessage(101, LogLevel.Warning, "Partition {Partition}: cut {Bytes} bytes of a torn write after its last whole batch; the log goes on at offset {NextOffset}")]
    private static partial void LogTornTail(ILogger logger, string partition, long bytes, long nextOffset);

    [LoggerMessage(102, LogLevel.Error, "Partition {Partition}: records {FirstOffset} to {LastOffset} are damaged on disk; their bytes are kept in {Aside}, and the log goes on without them")]
    private static partial void LogDamage(ILogger logger, string partition, long firstOffset, long lastOffset, string aside);
}
