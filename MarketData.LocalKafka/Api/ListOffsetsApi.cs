using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Finds offsets: the first, the next, or the first record not older than a time.</summary>
internal sealed partial class ListOffsetsApi(TopicRegistry topics, ILogger<ListOffsetsApi> logger) : IApi
{
    private const long Latest = -1, Earliest = -2;

    public ApiVersions Versions => new(ApiKey.ListOffsets, 1, 5);

    private readonly record struct Found(ErrorCode Error, long Timestamp, long Offset, int LeaderEpoch);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var (body, version) = (response.Body, request.Version);
        reader.ReadInt32(); // replica id
        if (version >= 2)
        {
            reader.ReadInt8(); // isolation level
            body.WriteInt32(0); // throttle time
        }
        var topicCount = reader.ReadArrayLength(6);
        body.WriteInt32(topicCount);
        for (var t = 0; t < topicCount && !reader.Failed; t++)
        {
            var topic = reader.ReadString();
            var partitionCount = reader.ReadArrayLength(12);
            body.WriteString(topic);
            body.WriteInt32(partitionCount);
            for (var p = 0; p < partitionCount && !reader.Failed; p++)
            {
                var partition = reader.ReadInt32();
                var leaderEpoch = version >= 4 ? reader.ReadInt32() : -1;
                var found = Find(topics.FindPartition(topic, partition), leaderEpoch, reader.ReadInt64());
                body.WriteInt32(partition);
                body.WriteError(found.Error);
                body.WriteInt64(found.Timestamp);
                body.WriteInt64(found.Offset);
                if (version >= 4) body.WriteInt32(found.LeaderEpoch);
            }
        }
        return new(reader.Failed ? Outcome.Close : Outcome.Reply);
    }

    private Found Find(PartitionLog? log, int leaderEpoch, long timestamp)
    {
        if (log is null) return new Found(ErrorCode.UnknownTopicOrPartition, -1, -1, -1);
        if (leaderEpoch > 0) return new Found(ErrorCode.UnknownLeaderEpoch, -1, -1, -1);
        if (timestamp == Latest) return new Found(ErrorCode.None, -1, log.HighWatermark, 0);
        if (timestamp == Earliest) return new Found(ErrorCode.None, -1, log.LogStartOffset, 0);
        try
        {
            return log.FindByTimestamp(timestamp) is { } record ? new Found(ErrorCode.None, record.Timestamp, record.Offset, 0) : new Found(ErrorCode.None, -1, -1, -1);
        }
        catch (InvalidDataException e)
        {
            LogUnreadable(logger, e, log.Name, timestamp);
            return new Found(ErrorCode.CorruptMessage, -1, -1, -1);
        }
    }

    [LoggerMessage(301, LogLevel.Error, "Partition {Partition}: the batch that holds time {Timestamp} cannot be read; the lookup is answered with an error")]
    private static partial void LogUnreadable(ILogger logger, Exception e, string partition, long timestamp);
}
