using System.Buffers.Binary;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Log;

/// <summary>A batch that a producer has written.</summary>
/// <param name="FirstSequence">Sequence of its first record.</param>
/// <param name="LastSequence">Sequence of its last record; less than the first when they wrapped.</param>
/// <param name="BaseOffset">Where it stands in the log.</param>
/// <param name="MaxTimestamp">Its greatest timestamp, in Unix milliseconds: what Kafka answers a repeat with as the time of the append.</param>
internal readonly record struct KnownBatch(int FirstSequence, int LastSequence, long BaseOffset, long MaxTimestamp);

/// <summary>
/// What one partition remembers of its idempotent producers: for each, its epoch and its last five batches, which is as many as a producer
/// may have in flight. Not thread-safe: the partition's lock guards it.
/// </summary>
internal sealed class ProducerStates
{
    /// <summary>Kafka's <c>producer.id.expiration.ms</c>: a producer that has not written for a day is forgotten.</summary>
    private const long ExpirationMs = 24 * 60 * 60 * 1000;

    private const int BatchesKept = 5, FileHeaderSize = 20, BatchSize = 24;
    private const uint FileMagic = 0x4C4B5032; // "LKP2"

    private readonly Dictionary<long, Producer> _producers = [];

    private sealed class Producer(short epoch)
    {
        public short Epoch { get; set; } = epoch;

        public long LastSeenMs { get; set; }

        /// <summary>Oldest first, at most five.</summary>
        public List<KnownBatch> Batches { get; } = new(BatchesKept);
    }

    /// <summary>Judges a batch by the rules of idempotence, as Apache Kafka 2.3 does.</summary>
    /// <param name="batch">The batch a producer sent.</param>
    /// <param name="repeated">The batch that this one repeats, or null when it is new.</param>
    /// <returns>The error to answer; <see cref="ErrorCode.None"/> means append it, or, for a repeat, answer the old offset.</returns>
    public ErrorCode Check(in RecordBatch batch, out KnownBatch? repeated)
    {
        repeated = null;
        if (!_producers.TryGetValue(batch.ProducerId, out var producer)) return batch.BaseSequence == 0 ? ErrorCode.None : ErrorCode.UnknownProducerId;
        if (batch.ProducerEpoch < producer.Epoch) return ErrorCode.InvalidProducerEpoch;
        if (batch.ProducerEpoch > producer.Epoch) return batch.BaseSequence == 0 ? ErrorCode.None : ErrorCode.OutOfOrderSequenceNumber;
        foreach (var known in producer.Batches)
        {
            if (known.FirstSequence != batch.BaseSequence || known.LastSequence != batch.LastSequence) continue;
            repeated = known;
            return ErrorCode.None;
        }
        var expected = producer.Batches[^1].LastSequence == int.MaxValue ? 0 : producer.Batches[^1].LastSequence + 1;
        return batch.BaseSequence == expected ? ErrorCode.None : ErrorCode.OutOfOrderSequenceNumber;
    }

    /// <summary>Remembers a batch that stands in the log.</summary>
    public void Record(in RecordBatch batch, long nowMs)
    {
        if (!_producers.TryGetValue(batch.ProducerId, out var producer))
            _producers[batch.ProducerId] = producer = new Producer(batch.ProducerEpoch);
        if (producer.Epoch != batch.ProducerEpoch)
        {
            producer.Epoch = batch.ProducerEpoch;
            producer.Batches.Clear();
        }
        if (producer.Batches.Count == BatchesKept) producer.Batches.RemoveAt(0);
        producer.Batches.Add(new KnownBatch(batch.BaseSequence, batch.LastSequence, batch.BaseOffset, batch.MaxTimestamp));
        producer.LastSeenMs = nowMs;
    }

    /// <summary>Forgets producers that have been silent for a day.</summary>
    public void Expire(long nowMs)
    {
        foreach (var (id, producer) in _producers)
            if (nowMs - producer.LastSeenMs > ExpirationMs) _producers.Remove(id);
    }

    /// <summary>The states as a file's content.</summary>
    /// <param name="nextOffset">Offset up to which the log has been taken into account.</param>
    public byte[] Serialize(long nextOffset)
    {
        var writer = new WireWriter();
        writer.WriteInt32(unchecked((int)FileMagic));
        writer.WriteInt64(nextOffset);
        writer.WriteInt32(_producers.Count);
        writer.WriteInt32(0);
        foreach (var (id, producer) in _producers)
        {
            writer.WriteInt64(id);
            writer.WriteInt16(producer.Epoch);
            writer.WriteInt64(producer.LastSeenMs);
            writer.WriteInt32(producer.Batches.Count);
            foreach (var batch in producer.Batches)
            {
                writer.WriteInt32(batch.FirstSequence);
                writer.WriteInt32(batch.LastSequence);
                writer.WriteInt64(batch.BaseOffset);
                writer.WriteInt64(batch.MaxTimestamp);
            }
        }
        var bytes = writer.Written.ToArray();
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(FileHeaderSize - 4), Checksum(bytes));
        return bytes;
    }

    /// <summary>Reads saved states.</summary>
    /// <returns>The offset up to which they account for the log, or null when the file is missing or damaged.</returns>
    public long? Load(string path)
    {
        if (!File.Exists(path)) return null;
        var bytes = File.ReadAllBytes(path);
        if (bytes.Length < FileHeaderSize || BinaryPrimitives.ReadUInt32BigEndian(bytes) != FileMagic) return null;
        if (BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(FileHeaderSize - 4)) != Checksum(bytes)) return null;
        var reader = new WireReader(bytes);
        reader.ReadInt32();
        var nextOffset = reader.ReadInt64();
        var count = reader.ReadInt32();
        reader.ReadInt32();
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var id = reader.ReadInt64();
            var producer = new Producer(reader.ReadInt16()) { LastSeenMs = reader.ReadInt64() };
            var batches = reader.ReadArrayLength(BatchSize);
            for (var b = 0; b < batches; b++) producer.Batches.Add(new KnownBatch(reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt64(), reader.ReadInt64()));
            _producers[id] = producer;
        }
        return nextOffset;
    }

    public void Clear() => _producers.Clear();

    /// <summary>Over everything but the checksum itself, which is the last field of the header.</summary>
    private static uint Checksum(ReadOnlySpan<byte> bytes) => Crc32C.Compute(bytes[..(FileHeaderSize - 4)]) ^ Crc32C.Compute(bytes[FileHeaderSize..]);
}
