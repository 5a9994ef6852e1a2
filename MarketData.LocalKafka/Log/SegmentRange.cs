using MarketData.LocalKafka.Protocol;
using Microsoft.Win32.SafeHandles;

namespace MarketData.LocalKafka.Log;

/// <summary>Whole batches in a segment file, ready to be sent.</summary>
internal readonly record struct FileRegion(SafeFileHandle File, long Position, int Length);

/// <summary>
/// A part of a segment that may be read without the partition's lock: bytes below the end never change, and the file stays open while
/// somebody reads it.
/// </summary>
/// <param name="File">The segment's file.</param>
/// <param name="Start">Where a batch begins, at or before the one wanted.</param>
/// <param name="End">Where the readable batches end.</param>
internal readonly record struct SegmentRange(SafeFileHandle File, long Start, long End)
{
    /// <summary>The batches to send from an offset on.</summary>
    /// <param name="offset">The first batch is the one that contains it, or the next when there is none.</param>
    /// <param name="maxBytes">Bytes at most, in whole batches.</param>
    /// <param name="atLeastOne">Whether the first batch goes even when it is larger than that.</param>
    /// <param name="indexed">A batch start that the index knows, as far as it gets within the limit; saves the scan up to there.</param>
    /// <returns>Of length 0 when the first batch is too large; null when the file does not hold what it should.</returns>
    public FileRegion? FindBatches(long offset, int maxBytes, bool atLeastOne, long indexed)
    {
        using var scanner = new BatchScanner(File, Start, End);
        long first = -1;
        while (first < 0 && scanner.TryReadHeader(out var batch))
            if (batch.NextOffset > offset) first = scanner.BatchPosition;
        if (first < 0) return null;
        var limit = first + maxBytes;
        if (scanner.Position > limit && !atLeastOne) return default(FileRegion);
        if (End <= limit) return new FileRegion(File, first, (int)(End - first));
        var last = Math.Max(scanner.Position, indexed);
        using var tail = new BatchScanner(File, last, End);
        while (tail.TryReadHeader(out _) && tail.Position <= limit) last = tail.Position;
        return new FileRegion(File, first, (int)(last - first));
    }

    /// <summary>The first record, in log order, at or after an offset and not older than a time.</summary>
    /// <exception cref="InvalidDataException">The records at that place cannot be decompressed.</exception>
    public RecordPosition? FindByTimestamp(long timestamp, long startOffset)
    {
        using var scanner = new BatchScanner(File, Start, End);
        while (scanner.TryReadHeader(out var batch))
            if (batch.MaxTimestamp >= timestamp && batch.NextOffset > startOffset
                && Records.FindByTimestamp(scanner.ReadBytes(batch), batch, timestamp, startOffset) is { } found)
                return found;
        return null;
    }

    /// <summary>Where the batch that begins at or after an offset stands.</summary>
    public long FindPosition(long offset)
    {
        var position = Start;
        using var scanner = new BatchScanner(File, Start, End);
        while (scanner.TryReadHeader(out var batch) && batch.NextOffset <= offset) position = scanner.Position;
        return position;
    }
}
