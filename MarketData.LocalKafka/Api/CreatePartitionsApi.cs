using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Adds partitions to topics.</summary>
internal sealed class CreatePartitionsApi(TopicRegistry topics) : IApi
{
    public ApiVersions Versions => new(ApiKey.CreatePartitions, 0, 1);

    private sealed record Growth(string Topic, int Count, IReadOnlyList<int[]>? Assignments);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var body = response.Body;
        var growths = new List<Growth>();
        var count = reader.ReadArrayLength(10);
        for (var i = 0; i < count && !reader.Failed; i++) growths.Add(ReadGrowth(ref reader));
        var timeoutMs = reader.ReadInt32();
        var validateOnly = reader.ReadBoolean();
        if (reader.Failed) return new(Outcome.Close);
        body.WriteInt32(0); // throttle time
        var asked = growths.CountBy(growth => growth.Topic).ToDictionary();
        body.WriteInt32(asked.Count);
        foreach (var growth in growths.DistinctBy(growth => growth.Topic))
        {
            var (error, message) = asked[growth.Topic] > 1 ? (ErrorCode.InvalidRequest, "Duplicate topic in request.") : Grow(growth, validateOnly);
            if (error == ErrorCode.None && !validateOnly) error = TopicChanges.DoneWithin(timeoutMs);
            body.WriteString(growth.Topic);
            body.WriteError(error);
            body.WriteErrorMessage(message);
        }
        return new(Outcome.Reply);
    }

    private static Growth ReadGrowth(ref WireReader reader)
    {
        var (topic, count) = (reader.ReadString(), reader.ReadInt32());
        if (reader.ReadNullableArrayLength(4) is not { } assignmentCount) return new Growth(topic, count, null);
        var assignments = new List<int[]>();
        for (var i = 0; i < assignmentCount && !reader.Failed; i++)
        {
            var brokers = new int[reader.ReadArrayLength(4)];
            for (var b = 0; b < brokers.Length; b++) brokers[b] = reader.ReadInt32();
            assignments.Add(brokers);
        }
        return new Growth(topic, count, assignments);
    }

    private (ErrorCode Error, string? Message) Grow(Growth growth, bool validateOnly)
    {
        if (topics.Find(growth.Topic) is not { } topic) return (ErrorCode.UnknownTopicOrPartition, $"The topic '{growth.Topic}' does not exist.");
        var added = growth.Count - topic.Partitions.Count;
        if (added == 0) return (ErrorCode.InvalidPartitions, $"Topic already has {growth.Count} partitions.");
        if (added < 0)
            return (ErrorCode.InvalidPartitions, $"Topic currently has {topic.Partitions.Count} partitions, which is higher than the requested {growth.Count}.");
        if (growth.Count > TopicRegistry.MaxPartitions || !topics.HasRoomFor(added))
            return (ErrorCode.InvalidPartitions, $"Number of partitions must be at most {TopicRegistry.MaxPartitions} a topic.");
        if (growth.Assignments is { } assignments && (assignments.Count != added || assignments.Any(brokers => brokers is not [BrokerOptions.NodeId])))
            return (ErrorCode.InvalidReplicaAssignment, $"{added} new partitions must each be assigned to broker {BrokerOptions.NodeId}, the only one.");
        if (!validateOnly) topics.AddPartitions(topic, growth.Count);
        return (ErrorCode.None, null);
    }
}
