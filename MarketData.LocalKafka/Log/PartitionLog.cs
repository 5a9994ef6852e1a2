using System.Buffers.Binary;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Log;

/// <summary>What became of an append.</summary>
/// <param name="Error"><see cref="ErrorCode.None"/> when the batch stands in the log.</param>
/// <param name="BaseOffset">Its offset, or -1.</param>
/// <param name="AppendTime">Unix milliseconds when the topic stamps the time of the append, or of the batch that this one repeats; else -1.</param>
/// <param name="LogStartOffset">The partition's, or -1 where Kafka does not say it.</param>
internal readonly record struct AppendResult(ErrorCode Error, long BaseOffset, long AppendTime, long LogStartOffset);

/// <summary>
/// The log of one partition: segments, what producers have written, and who waits for more. Appends and changes of the segment list hold
/// the lock; reads take it only to find their place, and read the file outside, below the end they saw.
/// </summary>
internal sealed partial class PartitionLog : IDisposable
{
    private const string ProducersFile = "producers", StartOffsetFile = "start-offset";

    /// <summary>Guards everything below; held for one write of one batch at the longest.</summary>
    private readonly Lock _lock = new();
    private readonly string _directory;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ProducerStates _producers = new();
    private readonly List<LogSegment> _segments;
    private readonly RecentBatches _recent = new();
    private readonly List<FetchWaiter> _waiters = [];
    private readonly DiskFlush? _flush;
    private long _activeSince;
    private long _checkpointedOffset = -1;
    private bool _isDeleted;
    private bool _hasDiskFailed;

    /// <summary>Opens the log in a directory, or makes it, and recovers whatever a crash left.</summary>
    public PartitionLog(string directory, string name, TopicSettings settings, FlushMode flush, TimeProvider time, ILogger logger)
    {
        (_directory, Name, Settings, _time, _logger) = (directory, name, settings, time, logger);
        Directory.CreateDirectory(directory);
        LogStartOffset = LoadStartOffset();
        _segments = new LogRecovery(directory, name, settings.IndexIntervalBytes, logger).OpenSegments(LogStartOffset);
        LogStartOffset = Math.Max(LogStartOffset, _segments[0].BaseOffset);
        NextOffset = HighWatermark = Active.NextOffset;
        _activeSince = time.GetTimestamp();
        RecoverProducers();
        if (flush == FlushMode.Fsync) _flush = new DiskFlush(OnFlushed, OnDiskFailed);
    }

    /// <summary>Topic and partition number, for messages.</summary>
    public string Name { get; }

    /// <summary>Replaced whole when the topic's settings change.</summary>
    public TopicSettings Settings { get; set; }

    /// <summary>The oldest offset that can be read.</summary>
    public long LogStartOffset { get; private set; }

    /// <summary>The offset the next record gets.</summary>
    public long NextOffset { get; private set; }

    /// <summary>The offset up to which consumers may read: what the flush mode calls done.</summary>
    public long HighWatermark { get; private set; }

    /// <summary>Bytes of log on disk.</summary>
    public long Size
    {
        get
        {
            lock (_lock) return _segments.Sum(segment => (long)segment.Size);
        }
    }

    private LogSegment Active => _segments[^1];

    /// <summary>Checks a batch, gives it its offset, and writes it. Completes when the flush mode says that the batch is safe.</summary>
    /// <param name="bytes">Exactly one batch; its offset is stamped in place.</param>
    /// <param name="header">The header in those bytes.</param>
    public ValueTask<AppendResult> AppendAsync(Memory<byte> bytes, RecordBatch header)
    {
        var settings = Settings;
        if (header.BaseOffset != 0) return Refused(ErrorCode.CorruptMessage);
        if (bytes.Length > settings.MaxMessageBytes) return Refused(ErrorCode.MessageTooLarge);
        if (!IsSound(bytes.Span, ref header)) return Refused(ErrorCode.CorruptMessage);
        if (header.IsLogAppendTime) return Refused(ErrorCode.InvalidTimestamp); // the time of the append is the broker's to say
        AppendResult result;
        LogSegment written;
        lock (_lock)
        {
            if (_isDeleted) return Refused(ErrorCode.UnknownTopicOrPartition);
            if (_hasDiskFailed) return Refused(ErrorCode.KafkaStorageError);
            result = AppendLocked(bytes.Span, header, settings);
            written = Active;
        }
        if (result.Error != ErrorCode.None) return new(result);
        return _flush is null ? new(result) : WhenFlushedAsync(_flush, written, result);
    }

    /// <summary>Finds the batches to send from an offset on.</summary>
    /// <param name="offset">The first one is the batch that contains it.</param>
    /// <param name="maxBytes">Bytes to send at most, in whole batches.</param>
    /// <param name="atLeastOne">Whether the first batch is sent even when it is larger than that.</param>
    /// <param name="region">The bytes; of length 0 when there is nothing to read yet.</param>
    /// <returns><see cref="ErrorCode.OffsetOutOfRange"/> outside the log, <see cref="ErrorCode.KafkaStorageError"/> where its file has been damaged.</returns>
    public ErrorCode Read(long offset, int maxBytes, bool atLeastOne, out FileRegion region)
    {
        region = default;
        SegmentRange range;
        long indexed;
        lock (_lock)
        {
            if (offset < LogStartOffset || offset > HighWatermark) return ErrorCode.OffsetOutOfRange;
            if (offset == HighWatermark) return ErrorCode.None;
            LogSegment segment;
            long position;
            if (_recent.Find(offset) is { } recent) (segment, position) = recent;
            else
            {
                segment = FindSegment(offset);
                position = segment.FindOffset(offset);
            }
            range = new SegmentRange(segment.File, position, EndBelowHighWatermark(segment));
            indexed = segment.FindPosition(Math.Min(position + maxBytes, range.End));
        }
        if (range.FindBatches(offset, maxBytes, atLeastOne, indexed) is { } found)
        {
            region = found;
            return ErrorCode.None;
        }
        LogUnreadable(_logger, Name, offset);
        return ErrorCode.KafkaStorageError;
    }

    /// <summary>The first record in log order that is not older than a time.</summary>
    /// <param name="timestamp">Unix milliseconds.</param>
    /// <returns>Null when every record is older.</returns>
    /// <exception cref="InvalidDataException">The records at that place cannot be decompressed.</exception>
    public RecordPosition? FindByTimestamp(long timestamp)
    {
        SegmentRange[] candidates;
        long startOffset;
        lock (_lock)
        {
            startOffset = LogStartOffset;
            candidates =
            [
                .. _segments.Where(segment => segment.MaxTimestamp >= timestamp && segment.NextOffset > startOffset).Select(segment => new SegmentRange(
                    segment.File, Math.Max(segment.FindTimestamp(timestamp), segment.FindOffset(startOffset)), EndBelowHighWatermark(segment))),
            ];
        }
        foreach (var candidate in candidates)
            if (candidate.FindByTimestamp(timestamp, startOffset) is { } found) return found;
        return null;
    }

    /// <summary>Asks to be signalled at the next append, and whenever a read would answer otherwise than before.</summary>
    public void AddWaiter(FetchWaiter waiter)
    {
        lock (_lock) _waiters.Add(waiter);
    }

    public void RemoveWaiter(FetchWaiter waiter)
    {
        lock (_lock) _waiters.Remove(waiter);
    }

    /// <summary>Moves the start of the log up, as DeleteRecords asks; segments wholly below it go.</summary>
    /// <returns>False when the offset is above the high watermark.</returns>
    public bool TryDeleteRecordsBefore(long offset)
    {
        List<LogSegment> gone;
        lock (_lock)
        {
            if (offset > HighWatermark) return false;
            if (offset <= LogStartOffset) return true;
            AtomicFile.Write(Path.Combine(_directory, StartOffsetFile), BigEndian(offset));
            LogStartOffset = offset;
            if (Active.NextOffset <= offset && Active.Size > 0) Roll();
            gone = _segments.FindAll(segment => segment.NextOffset <= offset && segment != Active);
            _segments.RemoveAll(gone.Contains);
        }
        foreach (var segment in gone) segment.Delete();
        return true;
    }

    /// <summary>Deletes segments that are too old, or not needed to hold the bytes that are to be kept.</summary>
    public void ApplyRetention()
    {
        var settings = Settings;
        var nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        List<LogSegment> gone = [];
        lock (_lock)
        {
            if (_isDeleted) return;
            _producers.Expire(nowMs);
            var excess = settings.RetentionBytes < 0 ? 0 : _segments.Sum(segment => (long)segment.Size) - settings.RetentionBytes;
            foreach (var segment in _segments)
            {
                var tooOld = settings.RetentionMs >= 0 && segment.Size > 0 && nowMs - segment.MaxTimestamp > settings.RetentionMs;
                var tooMuch = excess > 0 && excess >= segment.Size && segment != Active;
                if (!tooOld && !tooMuch) break;
                excess -= segment.Size;
                gone.Add(segment);
            }
            if (gone.Contains(Active)) Roll();
            _segments.RemoveAll(gone.Contains);
            LogStartOffset = Math.Max(LogStartOffset, _segments[0].BaseOffset);
        }
        foreach (var segment in gone)
        {
            LogRetention(_logger, Name, segment.BaseOffset, segment.NextOffset - 1);
            segment.Delete();
        }
    }

    /// <summary>
    /// Brings everything written so far to disk and saves indexes and producer states, so that the next start has only what follows to scan.
    /// One caller at a time.
    /// </summary>
    public void Checkpoint()
    {
        List<LogSegment> pending;
        lock (_lock)
        {
            if (_isDeleted) return;
            pending = _segments.FindAll(segment => !segment.IsCheckpointed);
        }
        foreach (var segment in pending)
        {
            (byte[], int) index;
            lock (_lock) index = segment.CaptureIndex();
            RandomAccess.FlushToDisk(segment.File);
            segment.SaveIndex(index);
            // Retention may have deleted the segment meanwhile; its index must not come back.
            lock (_lock)
                if (!_segments.Contains(segment)) segment.DeleteIndex();
        }
        byte[] states;
        lock (_lock)
        {
            if (_checkpointedOffset == NextOffset) return;
            _checkpointedOffset = NextOffset;
            states = _producers.Serialize(NextOffset);
        }
        AtomicFile.Write(Path.Combine(_directory, ProducersFile), states);
    }

    /// <summary>Ends all use of the log before its directory is removed: appends and reads are refused, waiters are woken.</summary>
    public void MarkDeleted()
    {
        lock (_lock)
        {
            _isDeleted = true;
            WakeWaiters();
        }
    }

    public void Dispose()
    {
        _flush?.Dispose();
        lock (_lock)
            foreach (var segment in _segments) segment.File.Dispose();
    }

    private static ValueTask<AppendResult> Refused(ErrorCode error) => new(new AppendResult(error, -1, -1, -1));

    private static byte[] BigEndian(long value)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }

    /// <summary>Checks what the broker must never store wrong. Corrects a greatest timestamp that the records themselves contradict, as Kafka does.</summary>
    private static bool IsSound(Span<byte> bytes, ref RecordBatch header)
    {
        if (!header.HasValidChecksum(bytes) || header.RecordCount <= 0 || header.LastOffsetDelta != header.RecordCount - 1) return false;
        if (header.IsControl || header.Codec > CompressionCodec.Zstd || (header.IsIdempotent && header.BaseSequence < 0)) return false;
        if (header.Codec != CompressionCodec.None) return true;
        if (!Records.AreWellFormed(header, bytes[RecordBatch.HeaderSize..], out var maxTimestamp)) return false;
        if (maxTimestamp == header.MaxTimestamp) return true;
        RecordBatch.StampMaxTimestamp(bytes, maxTimestamp);
        return RecordBatch.TryRead(bytes, out header);
    }

    private AppendResult AppendLocked(Span<byte> bytes, RecordBatch header, TopicSettings settings)
    {
        if (header.IsIdempotent)
        {
            var error = _producers.Check(header, out var repeated);
            if (error != ErrorCode.None) return new AppendResult(error, -1, -1, LogStartOffset);
            if (repeated is { } known) return new AppendResult(ErrorCode.None, known.BaseOffset, known.MaxTimestamp, LogStartOffset);
        }
        var nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        if (settings.UsesLogAppendTime) RecordBatch.StampAppendTime(bytes, nowMs);
        RecordBatch.StampOffset(bytes, NextOffset);
        RecordBatch.TryRead(bytes, out var stamped);
        try
        {
            if (MustRoll(bytes.Length, settings)) Roll();
            var position = Active.Size;
            Active.Append(bytes, stamped);
            _recent.Add(Active, stamped.BaseOffset, stamped.NextOffset, position);
        }
        catch (IOException e)
        {
            LogWriteFailed(_logger, e, Name);
            return new AppendResult(ErrorCode.KafkaStorageError, -1, -1, -1);
        }
        NextOffset = stamped.NextOffset;
        if (header.IsIdempotent) _producers.Record(stamped, nowMs);
        if (_flush is null)
        {
            HighWatermark = NextOffset;
            WakeWaiters();
        }
        return new AppendResult(ErrorCode.None, stamped.BaseOffset, settings.UsesLogAppendTime ? nowMs : -1, LogStartOffset);
    }

    private bool MustRoll(int bytes, TopicSettings settings)
    {
        if (Active.Size == 0) return false;
        return (long)Active.Size + bytes > settings.SegmentBytes
            || NextOffset - Active.BaseOffset > int.MaxValue - settings.MaxMessageBytes
            || _time.GetElapsedTime(_activeSince).TotalMilliseconds > settings.SegmentMs;
    }

    private void Roll()
    {
        _segments.Add(LogSegment.Create(_directory, NextOffset, Settings.IndexIntervalBytes));
        _activeSince = _time.GetTimestamp();
    }

    private LogSegment FindSegment(long offset)
    {
        int low = 0, high = _segments.Count - 1;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (offset < _segments[middle].NextOffset) high = middle;
            else low = middle + 1;
        }
        return _segments[low];
    }

    /// <summary>Where the readable part of a segment ends: all of it, unless its last batches are still on their way to disk.</summary>
    private long EndBelowHighWatermark(LogSegment segment)
    {
        if (HighWatermark >= segment.NextOffset) return segment.Size;
        return _recent.Find(HighWatermark) is { } unsafeBatch && unsafeBatch.Segment == segment
            ? unsafeBatch.Position
            : new SegmentRange(segment.File, segment.FindOffset(HighWatermark), segment.Size).FindPosition(HighWatermark);
    }

    private async ValueTask<AppendResult> WhenFlushedAsync(DiskFlush flush, LogSegment segment, AppendResult result)
    {
        long upTo;
        lock (_lock) upTo = NextOffset;
        var flushed = await flush.FlushAsync(segment, upTo);
        return flushed ? result : new AppendResult(ErrorCode.KafkaStorageError, -1, -1, -1);
    }

    private void OnFlushed(long upTo)
    {
        lock (_lock)
        {
            if (upTo <= HighWatermark) return;
            HighWatermark = upTo;
            WakeWaiters();
        }
    }

    private void OnDiskFailed(IOException e)
    {
        lock (_lock) _hasDiskFailed = true;
        LogDiskFailed(_logger, e, Name);
    }

    private void WakeWaiters()
    {
        foreach (var waiter in _waiters) waiter.Signal();
    }

    private long LoadStartOffset()
    {
        var path = Path.Combine(_directory, StartOffsetFile);
        return File.Exists(path) && File.ReadAllBytes(path) is { Length: sizeof(long) } bytes ? BinaryPrimitives.ReadInt64BigEndian(bytes) : 0;
    }

    private void RecoverProducers()
    {
        var known = _producers.Load(Path.Combine(_directory, ProducersFile));
        if (known is null || known > NextOffset)
        {
            _producers.Clear();
            known = LogStartOffset;
        }
        else _checkpointedOffset = known.Value;
        var nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var segment in _segments.Where(segment => segment.NextOffset > known))
        {
            using var scanner = new BatchScanner(segment.File, segment.FindOffset(known.Value), segment.Size, 256 * 1024);
            while (scanner.TryReadHeader(out var batch))
                if (batch.IsIdempotent && batch.BaseOffset >= known) _producers.Record(batch, nowMs);
        }
    }

    [LoggerMessage(111, LogLevel.Error, "Partition {Partition}: a write failed; the batch is refused and the log is as it was before")]
    private static partial void LogWriteFailed(ILogger logger, Exception e, string partition);

    [LoggerMessage(113, LogLevel.Critical, "Partition {Partition}: the disk failed to take what was written; nothing more is accepted until the broker is started again and has checked the log")]
    private static partial void LogDiskFailed(ILogger logger, Exception e, string partition);

    [LoggerMessage(114, LogLevel.Error, "Partition {Partition}: no batch can be read at offset {Offset}; its file was changed by somebody else. To have damaged batches set aside, delete the .index files of the partition and start again")]
    private static partial void LogUnreadable(ILogger logger, string partition, long offset);

    [LoggerMessage(112, LogLevel.Information, "Partition {Partition}: retention deleted the segment with offsets {FirstOffset} to {LastOffset}")]
    private static partial void LogRetention(ILogger logger, string partition, long firstOffset, long lastOffset);
}
