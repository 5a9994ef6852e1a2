using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Makes topics.</summary>
internal sealed class CreateTopicsApi(TopicRegistry topics, BrokerOptions options) : IApi
{
    private const short FirstVersionWithDefaults = 4;

    public ApiVersions Versions => new(ApiKey.CreateTopics, 0, 4);

    private sealed record NewTopic(string Name, int Partitions, short ReplicationFactor, IReadOnlyDictionary<int, int[]> Assignments, IReadOnlyList<KeyValuePair<string, string?>> Settings);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var (body, version) = (response.Body, request.Version);
        var wanted = new List<NewTopic>();
        var count = reader.ReadArrayLength(16);
        for (var i = 0; i < count && !reader.Failed; i++) wanted.Add(ReadTopic(ref reader));
        var timeoutMs = reader.ReadInt32();
        var validateOnly = version >= 1 && reader.ReadBoolean();
        if (reader.Failed) return new(Outcome.Close);

        if (version >= 2) body.WriteInt32(0); // throttle time
        var asked = wanted.CountBy(topic => topic.Name).ToDictionary();
        body.WriteInt32(wanted.Count);
        foreach (var topic in wanted)
        {
            var (error, message) = asked[topic.Name] > 1 ? (ErrorCode.InvalidRequest, "Found multiple entries for this topic.") : Create(topic, version, validateOnly);
            if (error == ErrorCode.None && !validateOnly) error = TopicChanges.DoneWithin(timeoutMs);
            body.WriteString(topic.Name);
            body.WriteError(error);
            if (version >= 1) body.WriteErrorMessage(message);
        }
        return new(Outcome.Reply);
    }

    private static NewTopic ReadTopic(ref WireReader reader)
    {
        var (name, partitions, replicationFactor) = (reader.ReadString(), reader.ReadInt32(), reader.ReadInt16());
        var assignments = new Dictionary<int, int[]>();
        var assignmentCount = reader.ReadArrayLength(8);
        for (var i = 0; i < assignmentCount && !reader.Failed; i++)
        {
            var partition = reader.ReadInt32();
            var brokers = new int[reader.ReadArrayLength(4)];
            for (var b = 0; b < brokers.Length; b++) brokers[b] = reader.ReadInt32();
            assignments[partition] = brokers;
        }
        var settings = new List<KeyValuePair<string, string?>>();
        var settingCount = reader.ReadArrayLength(4);
        for (var i = 0; i < settingCount && !reader.Failed; i++) settings.Add(new(reader.ReadString(), reader.ReadNullableString()));
        return new NewTopic(name, partitions, replicationFactor, assignments, settings);
    }

    /// <summary>Checks in Kafka's order: of several errors a request shows the same one.</summary>
    private (ErrorCode Error, string? Message) Create(NewTopic topic, short version, bool validateOnly)
    {
        foreach (var (name, value) in topic.Settings)
            if (TopicSettings.Check(name, value) is { } message) return (ErrorCode.InvalidConfig, message);
        if (CheckPartitions(topic, version, out var partitions) is { } problem) return problem;
        if (!TopicRegistry.IsLegalName(topic.Name))
            return (ErrorCode.InvalidTopic, $"Topic name \"{topic.Name}\" is illegal: 1 to 249 characters of ASCII letters, digits, '.', '_' and '-', and not \".\" or \"..\".");
        if (topics.Find(topic.Name) is not null) return (ErrorCode.TopicAlreadyExists, $"Topic '{topic.Name}' already exists.");
        if (topics.FindColliding(topic.Name) is { } other) return (ErrorCode.InvalidTopic, $"Topic '{topic.Name}' collides with existing topics: {other}");
        if (validateOnly) return (ErrorCode.None, null);
        return (topics.Create(topic.Name, partitions, topic.Settings.GroupBy(setting => setting.Key).ToDictionary(setting => setting.Key, setting => setting.Last().Value!)), null);
    }

    private (ErrorCode, string)? CheckPartitions(NewTopic topic, short version, out int partitions)
    {
        partitions = topic.Partitions;
        if (topic.Assignments.Count > 0)
        {
            partitions = topic.Assignments.Count;
            if (topic.Partitions != -1 || topic.ReplicationFactor != -1)
                return (ErrorCode.InvalidRequest, "Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time.");
            if (topic.Assignments.Any(assigned => assigned.Key < 0 || assigned.Key >= topic.Assignments.Count || assigned.Value is not [BrokerOptions.NodeId]))
                return (ErrorCode.InvalidReplicaAssignment, $"Partitions must be numbered from 0 and each assigned to broker {BrokerOptions.NodeId}, the only one.");
            return null;
        }
        if (partitions == -1 && version >= FirstVersionWithDefaults) partitions = options.DefaultPartitions;
        if (partitions <= 0) return (ErrorCode.InvalidPartitions, "Number of partitions must be larger than 0.");
        if (!topics.HasRoomFor(partitions)) return (ErrorCode.InvalidPartitions, $"Number of partitions must be at most {TopicRegistry.MaxPartitions} a topic.");
        if (topic.ReplicationFactor == 1 || (topic.ReplicationFactor == -1 && version >= FirstVersionWithDefaults)) return null;
        return (ErrorCode.InvalidReplicationFactor, topic.ReplicationFactor <= 0
            ? "Replication factor must be larger than 0."
            : $"Replication factor: {topic.ReplicationFactor} larger than available brokers: 1.");
    }
}
