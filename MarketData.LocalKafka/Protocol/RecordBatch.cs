using System.Buffers.Binary;
using System.Numerics;

namespace MarketData.LocalKafka.Protocol;

/// <summary>How the records of a batch are compressed: bits 0 to 2 of its attributes.</summary>
internal enum CompressionCodec
{
    None = 0,
    Gzip = 1,
    Snappy = 2,
    Lz4 = 3,
    Zstd = 4,
}

/// <summary>
/// The header of a record batch of format 2 (Kafka protocol, "Record Batch"). The base offset and the leader epoch stand outside the checksum,
/// so the broker stamps them in place and never touches the records.
/// </summary>
internal readonly record struct RecordBatch
{
    /// <summary>Bytes before the records.</summary>
    public const int HeaderSize = 61;

    /// <summary>Base offset and batch length: what <see cref="Size"/> adds to the length field.</summary>
    public const int LengthPrefixSize = 12;

    private const int LeaderEpochAt = 12, MagicAt = 16, ChecksumAt = 17, AttributesAt = 21, MaxTimestampAt = 35;

    public required long BaseOffset { get; init; }

    /// <summary>Bytes of the whole batch, header included.</summary>
    public required int Size { get; init; }

    public required sbyte Magic { get; init; }

    public required uint Checksum { get; init; }

    public required short Attributes { get; init; }

    public required int LastOffsetDelta { get; init; }

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public required long BaseTimestamp { get; init; }

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public required long MaxTimestamp { get; init; }

    /// <summary>-1 when the producer is not idempotent.</summary>
    public required long ProducerId { get; init; }

    public required short ProducerEpoch { get; init; }

    public required int BaseSequence { get; init; }

    public required int RecordCount { get; init; }

    public CompressionCodec Codec => (CompressionCodec)(Attributes & 7);

    public bool IsLogAppendTime => (Attributes & 8) != 0;

    public bool IsTransactional => (Attributes & 16) != 0;

    public bool IsControl => (Attributes & 32) != 0;

    public bool IsIdempotent => ProducerId >= 0;

    /// <summary>The offset after the last record; deltas, not the count, decide it.</summary>
    public long NextOffset => BaseOffset + LastOffsetDelta + 1;

    /// <summary>Sequence of the last record; sequences wrap from 2^31-1 to 0.</summary>
    public int LastSequence => (int)(((uint)BaseSequence + (uint)LastOffsetDelta) & int.MaxValue);

    /// <summary>Reads a header. The bytes need not hold the records; their number is in <see cref="Size"/>.</summary>
    /// <returns>False when there are fewer than <see cref="HeaderSize"/> bytes, or the length or the magic byte cannot be that of a batch.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out RecordBatch batch)
    {
        batch = default;
        if (bytes.Length < HeaderSize) return false;
        var length = BinaryPrimitives.ReadInt32BigEndian(bytes[8..]);
        if (length < HeaderSize - LengthPrefixSize || length > int.MaxValue - LengthPrefixSize || bytes[MagicAt] != 2) return false;
        batch = new RecordBatch
        {
            BaseOffset = BinaryPrimitives.ReadInt64BigEndian(bytes),
            Size = length + LengthPrefixSize,
            Magic = (sbyte)bytes[MagicAt],
            Checksum = BinaryPrimitives.ReadUInt32BigEndian(bytes[ChecksumAt..]),
            Attributes = BinaryPrimitives.ReadInt16BigEndian(bytes[AttributesAt..]),
            LastOffsetDelta = BinaryPrimitives.ReadInt32BigEndian(bytes[23..]),
            BaseTimestamp = BinaryPrimitives.ReadInt64BigEndian(bytes[27..]),
            MaxTimestamp = BinaryPrimitives.ReadInt64BigEndian(bytes[MaxTimestampAt..]),
            ProducerId = BinaryPrimitives.ReadInt64BigEndian(bytes[43..]),
            ProducerEpoch = BinaryPrimitives.ReadInt16BigEndian(bytes[51..]),
            BaseSequence = BinaryPrimitives.ReadInt32BigEndian(bytes[53..]),
            RecordCount = BinaryPrimitives.ReadInt32BigEndian(bytes[57..]),
        };
        return true;
    }

    /// <summary>Whether the checksum in the header is that of the batch's bytes.</summary>
    public bool HasValidChecksum(ReadOnlySpan<byte> batch) => Checksum == ComputeChecksum(batch);

    /// <summary>CRC-32C over everything after the checksum field.</summary>
    public static uint ComputeChecksum(ReadOnlySpan<byte> batch) => Crc32C.Compute(batch[AttributesAt..]);

    /// <summary>Writes what the broker decides into a batch: its place in the log. The leader epoch of a broker that is always leader is 0.</summary>
    public static void StampOffset(Span<byte> batch, long baseOffset)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch, baseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[LeaderEpochAt..], 0);
    }

    /// <summary>Marks a batch as stamped with the time of its append (topic setting <c>message.timestamp.type=LogAppendTime</c>) and renews its checksum.</summary>
    public static void StampAppendTime(Span<byte> batch, long unixMilliseconds)
    {
        batch[AttributesAt + 1] |= 8;
        StampMaxTimestamp(batch, unixMilliseconds);
    }

    /// <summary>Corrects the greatest timestamp of a batch and renews its checksum.</summary>
    public static void StampMaxTimestamp(Span<byte> batch, long unixMilliseconds)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch[MaxTimestampAt..], unixMilliseconds);
        BinaryPrimitives.WriteUInt32BigEndian(batch[ChecksumAt..], ComputeChecksum(batch));
    }
}

/// <summary>CRC-32C (Castagnoli), by the processor's own instruction where there is one.</summary>
internal static class Crc32C
{
    private const uint Seed = 0xFFFFFFFF;

    public static uint Compute(ReadOnlySpan<byte> bytes) => ~Append(Seed, bytes);

    private static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var next in bytes) crc = BitOperations.Crc32C(crc, next);
        return crc;
    }
}
