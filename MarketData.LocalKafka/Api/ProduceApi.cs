using System.Buffers.Binary;
using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Appends batches.</summary>
internal sealed class ProduceApi(TopicRegistry topics) : IApi
{
    private const short FirstVersionWithZstd = 7;

    public ApiVersions Versions => new(ApiKey.Produce, 3, 7);

    private readonly record struct PartitionData(string Topic, int Partition, Range Records);

    public async ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        if (!TryRead(request, out var acks, out var isTransactional, out var data)) return Outcome.Close;
        // All are written before any is waited for, so that they share the waiting.
        var appends = new Task<AppendResult>?[data.Count];
        var results = new AppendResult[data.Count];
        for (var i = 0; i < data.Count; i++)
        {
            var append = Append(request, data[i], acks, isTransactional);
            if (append.IsCompletedSuccessfully) results[i] = append.Result;
            else appends[i] = append.AsTask();
        }
        for (var i = 0; i < data.Count; i++)
            if (appends[i] is { } pending) results[i] = await pending;

        // Without acknowledgements there is only one way to tell of an error.
        if (acks == 0) return results.All(result => result.Error == ErrorCode.None) ? Outcome.NoReply : Outcome.Close;
        Write(response.Body, request.Version, data, results);
        return Outcome.Reply;
    }

    private ValueTask<AppendResult> Append(Request request, PartitionData data, short acks, bool isTransactional)
    {
        var bytes = request.Body[data.Records];
        if (isTransactional) return Refused(ErrorCode.TransactionalIdAuthorizationFailed);
        if (topics.FindPartition(data.Topic, data.Partition) is not { } log) return Refused(ErrorCode.UnknownTopicOrPartition);
        if (!RecordBatch.TryRead(bytes.Span, out var header) || !IsOneBatch(bytes.Span, header)) return Refused(ErrorCode.CorruptMessage);
        if (header.IsTransactional) return Refused(ErrorCode.TransactionalIdAuthorizationFailed);
        if (header.Codec == CompressionCodec.Zstd && request.Version < FirstVersionWithZstd) return Refused(ErrorCode.UnsupportedCompressionType);
        if (acks is < -1 or > 1) return Refused(ErrorCode.InvalidRequiredAcks);
        return log.AppendAsync(bytes[..header.Size], header);
    }

    /// <summary>One whole batch; a cut one behind it is ignored, as Kafka does, a second one is an error.</summary>
    private static bool IsOneBatch(ReadOnlySpan<byte> records, in RecordBatch first) =>
        first.Size == records.Length || !RecordBatch.TryRead(records[first.Size..], out var second) || second.Size > records.Length - first.Size;

    private static ValueTask<AppendResult> Refused(ErrorCode error) => new(new AppendResult(error, -1, -1, -1));

    private static bool TryRead(Request request, out short acks, out bool isTransactional, out List<PartitionData> data)
    {
        var reader = request.Read();
        data = [];
        isTransactional = reader.ReadNullableString() is not null;
        acks = reader.ReadInt16();
        reader.ReadInt32(); // timeout: there are no replicas to wait for
        var seen = new Dictionary<(string Topic, int Partition), int>();
        var topicCount = reader.ReadArrayLength(6);
        for (var t = 0; t < topicCount; t++)
        {
            var topic = reader.ReadString();
            var partitionCount = reader.ReadArrayLength(8);
            for (var p = 0; p < partitionCount; p++)
            {
                var partition = reader.ReadInt32();
                // A real broker cannot even parse records that do not begin with a batch, and closes the connection.
                if (!reader.TryReadNullableBytes(out var records) || !BeginsWithBatch(request.Body.Span[records])) return false;
                // Of a partition that is named twice Kafka sees the last.
                var item = new PartitionData(topic, partition, records);
                if (seen.TryAdd((topic, partition), data.Count)) data.Add(item);
                else data[seen[(topic, partition)]] = item;
            }
        }
        return !reader.Failed;
    }

    private static bool BeginsWithBatch(ReadOnlySpan<byte> records)
    {
        const int lengthAt = 8, magicAt = 16, shortestOldMessage = 14;
        if (records.Length <= magicAt || records[magicAt] > 2) return false;
        if (records[magicAt] == 2) return RecordBatch.TryRead(records, out var first) && first.Size <= records.Length;
        // Formats 0 and 1 are refused per partition; only their length is looked at here.
        var length = BinaryPrimitives.ReadInt32BigEndian(records[lengthAt..]);
        return length >= shortestOldMessage && length <= records.Length - RecordBatch.LengthPrefixSize;
    }

    private static void Write(WireWriter body, short version, List<PartitionData> data, AppendResult[] results)
    {
        TopicPartitions.Write(body, data, item => item.Topic, (item, index) =>
        {
            body.WriteInt32(item.Partition);
            body.WriteError(results[index].Error);
            body.WriteInt64(results[index].BaseOffset);
            body.WriteInt64(results[index].AppendTime);
            if (version >= 5) body.WriteInt64(results[index].LogStartOffset);
        });
        body.WriteInt32(0); // throttle time
    }
}
