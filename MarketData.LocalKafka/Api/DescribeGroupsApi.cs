using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Tells a group's state and its members.</summary>
internal sealed class DescribeGroupsApi(GroupCoordinator coordinator, GroupOffsets offsets) : IApi
{
    /// <summary>Read, delete and describe, as bits of Kafka's operation codes; or "not asked for", which later releases send as the least integer.</summary>
    private const int AllGroupOperations = 0x0148, OperationsNotAsked = 0;

    public ApiVersions Versions => new(ApiKey.DescribeGroups, 0, 3);

    private sealed record Member(string Id, string ClientId, string ClientHost, byte[] Metadata, byte[] Assignment);

    private sealed record Description(string State, string ProtocolType, string Protocol, IReadOnlyList<Member> Members);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var (body, version) = (response.Body, request.Version);
        var names = new List<string>();
        var count = reader.ReadArrayLength(2);
        for (var i = 0; i < count && !reader.Failed; i++) names.Add(reader.ReadString());
        var wantsOperations = version >= 3 && reader.ReadBoolean();
        if (reader.Failed) return new(Outcome.Close);

        if (version >= 1) body.WriteInt32(0); // throttle time
        body.WriteInt32(names.Count);
        foreach (var name in names)
        {
            var group = coordinator.Inspect(name, Describe) ?? new Description(offsets.OfGroup(name).Count > 0 ? "Empty" : "Dead", "", "", []);
            body.WriteError(ErrorCode.None);
            body.WriteString(name);
            body.WriteString(group.State);
            body.WriteString(group.ProtocolType);
            body.WriteString(group.Protocol);
            body.WriteInt32(group.Members.Count);
            foreach (var member in group.Members)
            {
                body.WriteString(member.Id);
                body.WriteString(member.ClientId);
                body.WriteString(member.ClientHost);
                body.WriteBytes(member.Metadata);
                body.WriteBytes(member.Assignment);
            }
            if (version >= 3) body.WriteInt32(wantsOperations ? AllGroupOperations : OperationsNotAsked);
        }
        return new(Outcome.Reply);
    }

    /// <summary>Metadata and assignments are told only of a stable group: before that they are not settled.</summary>
    private static Description? Describe(Group? group)
    {
        if (group is null) return null;
        var isStable = group.State == GroupState.Stable;
        var members = group.Members.Select(member => new Member(
            member.Id, member.ClientId, member.ClientHost, isStable ? member.MetadataFor(group.Protocol!) : [], isStable ? member.Assignment : []));
        return new Description(group.State.ToString(), group.ProtocolType ?? "", isStable ? group.Protocol! : "", [.. members]);
    }
}
