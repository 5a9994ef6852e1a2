using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Deletes topics, with what groups have committed on them.</summary>
internal sealed class DeleteTopicsApi(TopicRegistry topics, GroupOffsets offsets) : IApi
{
    public ApiVersions Versions => new(ApiKey.DeleteTopics, 0, 3);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var body = response.Body;
        var names = new List<string>();
        var count = reader.ReadArrayLength(2);
        for (var i = 0; i < count && !reader.Failed; i++) names.Add(reader.ReadString());
        var timeoutMs = reader.ReadInt32();
        if (reader.Failed) return new(Outcome.Close);
        if (request.Version >= 1) body.WriteInt32(0); // throttle time
        body.WriteInt32(names.Count);
        var deleted = names.Distinct().Where(topics.Delete).ToHashSet();
        foreach (var name in deleted) offsets.ForgetTopic(name);
        foreach (var name in names)
        {
            body.WriteString(name);
            body.WriteError(deleted.Contains(name) ? TopicChanges.DoneWithin(timeoutMs) : ErrorCode.UnknownTopicOrPartition);
        }
        return new(Outcome.Reply);
    }
}
