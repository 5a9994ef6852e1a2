using System.IO.Compression;
using K4os.Compression.LZ4.Streams;
using Snappier;
using ZstdSharp;

namespace MarketData.LocalKafka.Protocol;

/// <summary>One record's place and time, as the header of its batch and its own deltas give them.</summary>
internal readonly record struct RecordPosition(long Offset, long Timestamp);

/// <summary>Looks into the records of a batch: only lookups by time and the checks at append need to.</summary>
internal static class Records
{
    /// <summary>More than this, unpacked, and a batch is taken for a decompression bomb.</summary>
    private const int MaxUnpackedBytes = 256 * 1024 * 1024;

    private static readonly byte[] XerialMagic = [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0];

    /// <summary>Walks the records of an uncompressed batch and checks that their framing, their number and their offsets agree with the header.</summary>
    /// <param name="header">The batch's header.</param>
    /// <param name="records">The bytes after the header.</param>
    /// <param name="maxTimestamp">The greatest timestamp among the records, in Unix milliseconds.</param>
    public static bool AreWellFormed(in RecordBatch header, ReadOnlySpan<byte> records, out long maxTimestamp)
    {
        maxTimestamp = long.MinValue;
        var position = 0;
        for (var i = 0; i < header.RecordCount; i++)
        {
            if (!TryReadVarlong(records, ref position, out var length) || length < 0 || length > records.Length - position) return false;
            var end = position + (int)length;
            if (!TryReadRecord(records[..end], ref position, out var timestampDelta, out var offsetDelta) || offsetDelta != i) return false;
            maxTimestamp = Math.Max(maxTimestamp, header.BaseTimestamp + timestampDelta);
            position = end;
        }
        return position == records.Length;
    }

    /// <summary>The first record of a batch, in log order, at or after an offset and not older than a time.</summary>
    /// <param name="batch">The whole batch.</param>
    /// <param name="header">Its header.</param>
    /// <param name="timestamp">Unix milliseconds.</param>
    /// <param name="startOffset">Records before it do not count.</param>
    /// <returns>Null when the batch has no such record.</returns>
    /// <exception cref="InvalidDataException">The records cannot be decompressed or read.</exception>
    public static RecordPosition? FindByTimestamp(ReadOnlySpan<byte> batch, in RecordBatch header, long timestamp, long startOffset)
    {
        ReadOnlySpan<byte> records = batch[RecordBatch.HeaderSize..];
        if (header.Codec != CompressionCodec.None) records = Decompress(header.Codec, records);
        var position = 0;
        for (var i = 0; i < header.RecordCount; i++)
        {
            if (!TryReadVarlong(records, ref position, out var length) || length < 0 || length > records.Length - position) throw Damaged(header);
            var end = position + (int)length;
            if (!TryReadHead(records[..end], ref position, out var timestampDelta, out var offsetDelta)) throw Damaged(header);
            var found = new RecordPosition(header.BaseOffset + offsetDelta, header.IsLogAppendTime ? header.MaxTimestamp : header.BaseTimestamp + timestampDelta);
            if (found.Timestamp >= timestamp && found.Offset >= startOffset) return found;
            position = end;
        }
        return null;
    }

    private static InvalidDataException Damaged(in RecordBatch header) => new($"The records of the batch at offset {header.BaseOffset} are damaged.");

    private static bool TryReadHead(ReadOnlySpan<byte> record, ref int position, out long timestampDelta, out long offsetDelta)
    {
        timestampDelta = offsetDelta = 0;
        position++; // attributes, unused
        return position <= record.Length && TryReadVarlong(record, ref position, out timestampDelta) && TryReadVarlong(record, ref position, out offsetDelta);
    }

    private static bool TryReadRecord(ReadOnlySpan<byte> record, ref int position, out long timestampDelta, out long offsetDelta)
    {
        if (!TryReadHead(record, ref position, out timestampDelta, out offsetDelta)) return false;
        if (!TrySkipBytes(record, ref position, nullable: true) || !TrySkipBytes(record, ref position, nullable: true)) return false;
        if (!TryReadVarlong(record, ref position, out var headers) || headers < 0) return false;
        for (long i = 0; i < headers; i++)
            if (!TrySkipBytes(record, ref position, nullable: false) || !TrySkipBytes(record, ref position, nullable: true)) return false;
        return position == record.Length;
    }

    private static bool TrySkipBytes(ReadOnlySpan<byte> record, ref int position, bool nullable)
    {
        if (!TryReadVarlong(record, ref position, out var length)) return false;
        if (length < 0) return nullable && length == -1;
        if (length > record.Length - position) return false;
        position += (int)length;
        return true;
    }

    private static bool TryReadVarlong(ReadOnlySpan<byte> bytes, ref int position, out long value)
    {
        ulong zigzag = 0;
        for (var shift = 0; shift < 70 && position < bytes.Length; shift += 7)
        {
            var next = bytes[position++];
            zigzag |= (ulong)(next & 0x7f) << shift;
            if (next >= 0x80) continue;
            value = (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
            return true;
        }
        value = 0;
        return false;
    }

    private static ReadOnlySpan<byte> Decompress(CompressionCodec codec, ReadOnlySpan<byte> packed)
    {
        try
        {
            if (codec == CompressionCodec.Snappy) return DecompressSnappy(packed);
            using var source = new MemoryStream(packed.ToArray());
            using Stream unpacking = codec switch
            {
                CompressionCodec.Gzip => new GZipStream(source, CompressionMode.Decompress),
                CompressionCodec.Lz4 => LZ4Stream.Decode(source),
                CompressionCodec.Zstd => new DecompressionStream(source),
                _ => throw new InvalidDataException($"Compression codec {(int)codec} does not exist."),
            };
            using var unpacked = new MemoryStream();
            CopyBounded(unpacking, unpacked);
            return unpacked.GetBuffer().AsSpan(0, (int)unpacked.Length);
        }
        catch (Exception e) when (e is not InvalidDataException and not OutOfMemoryException)
        {
            throw new InvalidDataException($"The records of a batch cannot be decompressed as {codec}.", e);
        }
    }

    private static void CopyBounded(Stream from, MemoryStream to)
    {
        var chunk = new byte[64 * 1024];
        for (int read; (read = from.Read(chunk)) > 0;)
        {
            to.Write(chunk, 0, read);
            if (to.Length > MaxUnpackedBytes) throw new InvalidDataException($"A batch unpacks to more than {MaxUnpackedBytes} bytes.");
        }
    }

    /// <summary>Java clients frame snappy in blocks (a magic, two versions, then length and block); the others send one raw block.</summary>
    private static byte[] DecompressSnappy(ReadOnlySpan<byte> packed)
    {
        if (!packed.StartsWith(XerialMagic)) return DecompressSnappyBlock(packed);
        using var unpacked = new MemoryStream();
        var reader = new WireReader(packed[(XerialMagic.Length + 8)..]);
        while (reader.Remaining > 0)
        {
            unpacked.Write(DecompressSnappyBlock(reader.ReadBytes()));
            if (reader.Failed || unpacked.Length > MaxUnpackedBytes) throw new InvalidDataException("A snappy frame is damaged.");
        }
        return unpacked.ToArray();
    }

    private static byte[] DecompressSnappyBlock(ReadOnlySpan<byte> block)
    {
        if (Snappy.GetUncompressedLength(block) > MaxUnpackedBytes) throw new InvalidDataException($"A batch unpacks to more than {MaxUnpackedBytes} bytes.");
        return Snappy.DecompressToArray(block);
    }
}
