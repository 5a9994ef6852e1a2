using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Finds offsets: the first, the next, or the first record not older than a time.</summary>
internal sealed partial class ListOffsetsApi(TopicRegistry topics, ILogger<ListOffsetsApi> logger) : IApi
{
    private const long Latest = -1, Earliest = -2;

    public ApiVersions Versions => new(ApiKey.ListOffsets, 1, 5);

    private readonly record struct Question(string Topic, int Partition, int LeaderEpoch, long Timestamp);

    private readonly record struct Found(ErrorCode Error, long Timestamp, long Offset, int LeaderEpoch);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var (body, version) = (response.Body, request.Version);
        if (TryRead(request) is not { } questions) return new(Outcome.Close);
        if (version >= 2) body.WriteInt32(0); // throttle time
        var asked = questions.CountBy(question => (question.Topic, question.Partition)).ToDictionary();
        TopicPartitions.Write(body, questions.DistinctBy(question => (question.Topic, question.Partition)).ToArray(), question => question.Topic, (question, _) =>
        {
            var found = asked[(question.Topic, question.Partition)] > 1 ? new Found(ErrorCode.InvalidRequest, -1, -1, -1) : Find(question);
            body.WriteInt32(question.Partition);
            body.WriteError(found.Error);
            body.WriteInt64(found.Timestamp);
            body.WriteInt64(found.Offset);
            if (version >= 4) body.WriteInt32(found.LeaderEpoch);
        });
        return new(Outcome.Reply);
    }

    private static List<Question>? TryRead(Request request)
    {
        var reader = request.Read();
        reader.ReadInt32(); // replica id
        if (request.Version >= 2) reader.ReadInt8(); // isolation level
        var questions = new List<Question>();
        var topicCount = reader.ReadArrayLength(6);
        for (var t = 0; t < topicCount && !reader.Failed; t++)
        {
            var topic = reader.ReadString();
            var partitionCount = reader.ReadArrayLength(12);
            for (var p = 0; p < partitionCount && !reader.Failed; p++)
                questions.Add(new Question(topic, reader.ReadInt32(), request.Version >= 4 ? reader.ReadInt32() : -1, reader.ReadInt64()));
        }
        return reader.Failed ? null : questions;
    }

    private Found Find(Question question)
    {
        var timestamp = question.Timestamp;
        if (topics.FindPartition(question.Topic, question.Partition) is not { } log) return new Found(ErrorCode.UnknownTopicOrPartition, -1, -1, -1);
        if (question.LeaderEpoch > 0) return new Found(ErrorCode.UnknownLeaderEpoch, -1, -1, -1);
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
