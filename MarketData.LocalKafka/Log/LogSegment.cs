using System.Globalization;
using MarketData.LocalKafka.Protocol;
using Microsoft.Win32.SafeHandles;

namespace MarketData.LocalKafka.Log;

/// <summary>
/// One file of a partition's log: whole batches, one after the other, exactly as they are sent to consumers, with its index beside it.
/// The partition's lock guards it; only reads of bytes below a <see cref="Size"/> seen under the lock may go on outside.
/// </summary>
internal sealed class LogSegment
{
    private readonly string _logPath;
    private readonly SegmentIndex _index;
    private readonly int _indexInterval;
    private int _coveredBytes;

    private LogSegment(string logPath, SafeFileHandle file, SegmentIndex index, SegmentIndex.Coverage coverage, int indexInterval)
    {
        (_logPath, File, _index, _indexInterval) = (logPath, file, index, indexInterval);
        BaseOffset = long.Parse(Path.GetFileNameWithoutExtension(logPath), CultureInfo.InvariantCulture);
        (Size, NextOffset, MaxTimestamp) = (coverage.Bytes, coverage.NextOffset, coverage.MaxTimestamp);
        _coveredBytes = coverage.Bytes;
    }

    public SafeFileHandle File { get; }

    public long BaseOffset { get; }

    /// <summary>Bytes of whole batches in the file.</summary>
    public int Size { get; private set; }

    /// <summary>The offset after the last record; the base offset when the segment is empty.</summary>
    public long NextOffset { get; private set; }

    /// <summary>Greatest timestamp of all records, in Unix milliseconds; -1 when the segment is empty.</summary>
    public long MaxTimestamp { get; private set; }

    /// <summary>Whether the saved index covers all of the segment, which also says that all of it is on disk.</summary>
    public bool IsCheckpointed => _coveredBytes == Size && System.IO.File.Exists(IndexPath);

    private string IndexPath => Path.ChangeExtension(_logPath, ".index");

    public static string FileName(long baseOffset) => baseOffset.ToString("D20", CultureInfo.InvariantCulture) + ".log";

    public static LogSegment Create(string directory, long baseOffset, int indexInterval)
    {
        var path = Path.Combine(directory, FileName(baseOffset));
        var file = System.IO.File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        return new LogSegment(path, file, new SegmentIndex(), new SegmentIndex.Coverage(0, baseOffset, -1), indexInterval);
    }

    /// <summary>Opens a segment and scans what its saved index does not cover, checking every checksum there.</summary>
    /// <param name="path">The segment's file.</param>
    /// <param name="indexInterval">Bytes between two index entries.</param>
    /// <param name="damagedBytes">Bytes at the end that are no whole, sound batch; the caller decides what becomes of them.</param>
    public static LogSegment Open(string path, int indexInterval, out long damagedBytes)
    {
        var file = System.IO.File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        var length = RandomAccess.GetLength(file);
        var saved = SegmentIndex.Load(Path.ChangeExtension(path, ".index"));
        if (saved?.Coverage.Bytes > length) saved = null;
        var baseOffset = long.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture);
        var (index, coverage) = saved ?? (new SegmentIndex(), new SegmentIndex.Coverage(0, baseOffset, -1));
        var segment = new LogSegment(path, file, index, coverage, indexInterval);
        using (var scanner = new BatchScanner(file, segment.Size, Math.Min(length, int.MaxValue), 1024 * 1024))
            while (scanner.TryReadHeader(out var batch) && batch.BaseOffset >= segment.NextOffset && batch.HasValidChecksum(scanner.ReadBytes(batch)))
                segment.Account(batch);
        damagedBytes = length - segment.Size;
        return segment;
    }

    /// <summary>Writes a stamped batch at the end.</summary>
    /// <exception cref="IOException">The disk is full or failed; the segment is as it was before.</exception>
    public void Append(ReadOnlySpan<byte> bytes, in RecordBatch batch)
    {
        try
        {
            RandomAccess.Write(File, bytes, Size);
        }
        catch
        {
            Truncate();
            throw;
        }
        Account(batch);
    }

    /// <summary>Cuts off whatever stands behind the last whole batch.</summary>
    public void Truncate() => RandomAccess.SetLength(File, Size);

    /// <summary>Where a scan for the batch that contains an offset may start.</summary>
    public int FindOffset(long offset) => _index.FindOffset(offset - BaseOffset);

    /// <inheritdoc cref="SegmentIndex.FindTimestamp"/>
    public int FindTimestamp(long timestamp) => _index.FindTimestamp(timestamp);

    /// <inheritdoc cref="SegmentIndex.FindPosition"/>
    public int FindPosition(long position) => _index.FindPosition(position);

    /// <summary>The index to save once everything up to now is on disk.</summary>
    public (byte[] Content, int Bytes) CaptureIndex() => (_index.Serialize(new SegmentIndex.Coverage(Size, NextOffset, MaxTimestamp)), Size);

    /// <summary>Saves an index captured before the last flush to disk. Called without the lock, by one checkpoint at a time.</summary>
    public void SaveIndex((byte[] Content, int Bytes) captured)
    {
        AtomicFile.Write(IndexPath, captured.Content);
        _coveredBytes = captured.Bytes;
    }

    /// <summary>
    /// Removes the files. The handle stays open, because fetches may be reading from it: the last of them to let go closes it.
    /// </summary>
    public void Delete()
    {
        DeleteIndex();
        System.IO.File.Delete(_logPath);
    }

    public void DeleteIndex() => System.IO.File.Delete(IndexPath);

    private void Account(in RecordBatch batch)
    {
        if (Size == 0 || Size - _index.LastPosition >= _indexInterval) _index.Add((int)(batch.BaseOffset - BaseOffset), Size, MaxTimestamp);
        MaxTimestamp = Math.Max(MaxTimestamp, batch.MaxTimestamp);
        NextOffset = batch.NextOffset;
        Size += batch.Size;
    }
}
