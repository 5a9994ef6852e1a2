using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;
using MarketData.LocalKafka.Server;

namespace MarketData.LocalKafka.Api;

/// <summary>Tells where topics are: all here.</summary>
internal sealed class MetadataApi(TopicRegistry topics, BrokerIdentity identity) : IApi
{
    /// <summary>In place of the operations that a client is allowed, when it did not ask; later releases send the least integer.</summary>
    private const int OperationsNotAsked = 0;

    /// <summary>Everything that can be done to a topic, and to a cluster, as bits of Kafka's operation codes: without authorization all is allowed.</summary>
    private const int AllTopicOperations = 0x0DF8, AllClusterOperations = 0x1FA0;

    private static readonly int[] ThisNode = [BrokerOptions.NodeId];

    public ApiVersions Versions => new(ApiKey.Metadata, 0, 8);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var (body, version) = (response.Body, request.Version);
        var count = reader.ReadNullableArrayLength(2);
        var names = new List<string>();
        for (var i = 0; i < count && !reader.Failed; i++) names.Add(reader.ReadString());
        var allowCreate = version < 4 || reader.ReadBoolean();
        var wantsClusterOperations = version >= 8 && reader.ReadBoolean();
        var wantsTopicOperations = version >= 8 && reader.ReadBoolean();
        if (reader.Failed || (count is null && version == 0)) return new(Outcome.Close);

        WriteBroker(body, version);
        var wantsAll = count is null || (count == 0 && version == 0);
        var described = wantsAll
            ? [.. topics.All.OrderBy(topic => topic.Name, StringComparer.Ordinal).Select(topic => (topic.Name, ErrorCode.None, (Topic?)topic))]
            : names.Distinct().Select(name => Find(name, allowCreate)).ToArray();
        body.WriteInt32(described.Length);
        foreach (var (name, error, topic) in described) WriteTopic(body, version, name, error, topic, wantsTopicOperations);
        if (version >= 8) body.WriteInt32(wantsClusterOperations ? AllClusterOperations : OperationsNotAsked);
        return new(Outcome.Reply);
    }

    private (string Name, ErrorCode Error, Topic? Topic) Find(string name, bool allowCreate)
    {
        var (error, topic) = topics.FindOrCreate(name, allowCreate);
        return (name, error, topic);
    }

    private void WriteBroker(WireWriter body, short version)
    {
        if (version >= 3) body.WriteInt32(0); // throttle time
        body.WriteInt32(1);
        body.WriteInt32(BrokerOptions.NodeId);
        body.WriteString(identity.Host);
        body.WriteInt32(identity.Port);
        if (version >= 1) body.WriteNullableString(null); // rack
        if (version >= 2) body.WriteNullableString(identity.ClusterId);
        if (version >= 1) body.WriteInt32(BrokerOptions.NodeId); // controller
    }

    private static void WriteTopic(WireWriter body, short version, string name, ErrorCode error, Topic? topic, bool wantsOperations)
    {
        body.WriteError(error);
        body.WriteString(name);
        if (version >= 1) body.WriteBoolean(false); // internal
        var partitions = topic?.Partitions.Count ?? 0;
        body.WriteInt32(partitions);
        for (var index = 0; index < partitions; index++)
        {
            body.WriteError(ErrorCode.None);
            body.WriteInt32(index);
            body.WriteInt32(BrokerOptions.NodeId); // leader
            if (version >= 7) body.WriteInt32(0); // leader epoch
            body.WriteInt32Array(ThisNode); // replicas
            body.WriteInt32Array(ThisNode); // in-sync replicas
            if (version >= 5) body.WriteInt32Array([]); // offline replicas
        }
        if (version >= 8) body.WriteInt32(wantsOperations ? AllTopicOperations : OperationsNotAsked);
    }
}
