using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Commits a group's offsets.</summary>
internal sealed class OffsetCommitApi(GroupCoordinator coordinator, GroupOffsets offsets) : IApi
{
    public ApiVersions Versions => new(ApiKey.OffsetCommit, 2, 7);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var (body, version) = (response.Body, request.Version);
        var (group, generation, member) = (reader.ReadString(), reader.ReadInt32(), reader.ReadString());
        var instance = version >= 7 ? reader.ReadNullableString() : null;
        if (version <= 4) reader.ReadInt64(); // retention time: the broker's own applies
        var commits = new List<OffsetToCommit>();
        var topicCount = reader.ReadArrayLength(6);
        for (var t = 0; t < topicCount && !reader.Failed; t++)
        {
            var topic = reader.ReadString();
            var partitionCount = reader.ReadArrayLength(14);
            for (var p = 0; p < partitionCount && !reader.Failed; p++)
            {
                var (partition, offset) = (reader.ReadInt32(), reader.ReadInt64());
                var leaderEpoch = version >= 6 ? reader.ReadInt32() : -1;
                commits.Add(new OffsetToCommit(topic, partition, offset, leaderEpoch, reader.ReadNullableString() ?? ""));
            }
        }
        if (reader.Failed) return new(Outcome.Close);

        var refused = coordinator.CheckCommit(group, generation, member, instance, offsets.HasGroup(group));
        var errors = offsets.Commit(group, commits, refused);
        if (version >= 3) body.WriteInt32(0); // throttle time
        TopicPartitions.Write(body, commits, commit => commit.Topic, (commit, index) =>
        {
            body.WriteInt32(commit.Partition);
            body.WriteError(errors[index]);
        });
        return new(Outcome.Reply);
    }
}
