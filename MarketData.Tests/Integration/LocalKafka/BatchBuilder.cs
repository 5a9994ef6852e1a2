using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using MarketData.LocalKafka.Protocol;

namespace MarketData.Tests.Integration.LocalKafka;

/// <summary>Codecs that a test can make batches with; what other codecs look like, the client suites show.</summary>
internal enum Codec
{
    None = 0,
    Gzip = 1,
}

/// <summary>Makes record batches of format 2, right ones and wrong ones.</summary>
internal sealed class BatchBuilder
{
    private readonly List<(long Timestamp, string? Key, string Value)> _records = [];

    public Codec Codec { get; init; }

    public long BaseOffset { get; init; }

    public long ProducerId { get; init; } = -1;

    public short ProducerEpoch { get; init; } = -1;

    public int BaseSequence { get; init; } = -1;

    public short ExtraAttributes { get; init; }

    /// <summary>Added to the number of records in the header.</summary>
    public int CountError { get; init; }

    public BatchBuilder Add(long timestamp, string value, string? key = null)
    {
        _records.Add((timestamp, key, value));
        return this;
    }

    public BatchBuilder AddMany(int count, string value = "x")
    {
        for (var i = 0; i < count; i++) Add(1_700_000_000_000 + i, value);
        return this;
    }

    public byte[] Build()
    {
        var records = new MemoryStream();
        for (var i = 0; i < _records.Count; i++)
        {
            var record = new MemoryStream();
            record.WriteByte(0);
            WriteVarint(record, _records[i].Timestamp - _records[0].Timestamp);
            WriteVarint(record, i);
            WriteBytes(record, _records[i].Key);
            WriteBytes(record, _records[i].Value);
            WriteVarint(record, 0);
            WriteVarint(records, record.Length);
            record.WriteTo(records);
        }
        var payload = records.ToArray();
        if (Codec == Codec.Gzip)
        {
            var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(payload);
            payload = packed.ToArray();
        }
        var batch = new byte[61 + payload.Length];
        payload.CopyTo(batch, 61);
        BinaryPrimitives.WriteInt64BigEndian(batch, BaseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), batch.Length - 12);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(12), -1);
        batch[16] = 2;
        BinaryPrimitives.WriteInt16BigEndian(batch.AsSpan(21), (short)((ushort)Codec | (ushort)ExtraAttributes));
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(23), _records.Count - 1);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(27), _records[0].Timestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(35), _records.Max(record => record.Timestamp));
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(43), ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(batch.AsSpan(51), ProducerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(53), BaseSequence);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(57), _records.Count + CountError);
        BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(17), Crc32C.Compute(batch.AsSpan(21)));
        return batch;
    }

    private static void WriteVarint(Stream to, long value)
    {
        for (var zigzag = unchecked((ulong)(value << 1) ^ (ulong)(value >> 63)); ; zigzag >>= 7)
        {
            to.WriteByte((byte)(zigzag < 0x80 ? zigzag : (zigzag & 0x7f) | 0x80));
            if (zigzag < 0x80) return;
        }
    }

    private static void WriteBytes(Stream to, string? text)
    {
        if (text is null)
        {
            WriteVarint(to, -1);
            return;
        }
        var bytes = Encoding.UTF8.GetBytes(text);
        WriteVarint(to, bytes.Length);
        to.Write(bytes);
    }
}
