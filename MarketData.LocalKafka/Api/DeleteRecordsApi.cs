using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Moves the start of partitions' logs up.</summary>
internal sealed class DeleteRecordsApi(TopicRegistry topics) : IApi
{
    private const long ToHighWatermark = -1;

    public ApiVersions Versions => new(ApiKey.DeleteRecords, 0, 1);

    private readonly record struct Deletion(string Topic, int Partition, long Offset);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var body = response.Body;
        var deletions = new List<Deletion>();
        var topicCount = reader.ReadArrayLength(6);
        for (var t = 0; t < topicCount && !reader.Failed; t++)
        {
            var topic = reader.ReadString();
            var partitionCount = reader.ReadArrayLength(12);
            for (var p = 0; p < partitionCount && !reader.Failed; p++) deletions.Add(new Deletion(topic, reader.ReadInt32(), reader.ReadInt64()));
        }
        reader.ReadInt32(); // timeout
        if (reader.Failed) return new(Outcome.Close);
        body.WriteInt32(0); // throttle time
        TopicPartitions.Write(body, deletions, deletion => deletion.Topic, (deletion, _) =>
        {
            var (error, lowWatermark) = Delete(deletion);
            body.WriteInt32(deletion.Partition);
            body.WriteInt64(lowWatermark);
            body.WriteError(error);
        });
        return new(Outcome.Reply);
    }

    private (ErrorCode Error, long LowWatermark) Delete(Deletion deletion)
    {
        if (topics.FindPartition(deletion.Topic, deletion.Partition) is not { } log) return (ErrorCode.UnknownTopicOrPartition, -1);
        var offset = deletion.Offset == ToHighWatermark ? log.HighWatermark : deletion.Offset;
        if (offset < 0 || !log.TryDeleteRecordsBefore(offset)) return (ErrorCode.OffsetOutOfRange, -1);
        return (ErrorCode.None, log.LogStartOffset);
    }
}
