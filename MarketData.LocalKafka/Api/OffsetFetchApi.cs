using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Answers what a group has committed; offset -1 where nothing was.</summary>
internal sealed class OffsetFetchApi(GroupOffsets offsets) : IApi
{
    private static readonly CommittedOffset Nothing = new(-1, -1, "", 0);

    public ApiVersions Versions => new(ApiKey.OffsetFetch, 1, 5);

    private readonly record struct Answer(string Topic, int Partition, CommittedOffset Offset);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var (body, version) = (response.Body, request.Version);
        var group = reader.ReadString();
        var answers = new List<Answer>();
        var topicCount = reader.ReadNullableArrayLength(6);
        for (var t = 0; t < topicCount && !reader.Failed; t++)
        {
            var topic = reader.ReadString();
            var partitionCount = reader.ReadArrayLength(4);
            for (var p = 0; p < partitionCount && !reader.Failed; p++)
            {
                var partition = reader.ReadInt32();
                answers.Add(new Answer(topic, partition, offsets.Find(group, topic, partition) ?? Nothing));
            }
        }
        if (reader.Failed || (topicCount is null && version < 2)) return new(Outcome.Close);
        if (topicCount is null)
            answers.AddRange(offsets.OfGroup(group).Select(entry => new Answer(entry.Key.Topic, entry.Key.Partition, entry.Value))
                .OrderBy(answer => answer.Topic, StringComparer.Ordinal).ThenBy(answer => answer.Partition));

        if (version >= 3) body.WriteInt32(0); // throttle time
        TopicPartitions.Write(body, answers, answer => answer.Topic, (answer, _) =>
        {
            body.WriteInt32(answer.Partition);
            body.WriteInt64(answer.Offset.Offset);
            if (version >= 5) body.WriteInt32(answer.Offset.LeaderEpoch);
            body.WriteNullableString(answer.Offset.Metadata);
            body.WriteError(ErrorCode.None);
        });
        if (version >= 2) body.WriteError(ErrorCode.None);
        return new(Outcome.Reply);
    }
}
