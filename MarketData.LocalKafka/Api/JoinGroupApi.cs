using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Joins a consumer group; held until the group is complete.</summary>
internal sealed class JoinGroupApi(GroupCoordinator coordinator) : IApi
{
    private const short FirstVersionWithKnownId = 4;

    public ApiVersions Versions => new(ApiKey.JoinGroup, 0, 5);

    public async ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        if (TryRead(request) is not { } join) return Outcome.Close;
        var joined = await coordinator.JoinAsync(join).WaitAsync(stopping);
        var (body, version) = (response.Body, request.Version);
        if (version >= 2) body.WriteInt32(0); // throttle time
        body.WriteError(joined.Error);
        body.WriteInt32(joined.Generation);
        body.WriteString(joined.Protocol);
        body.WriteString(joined.Leader);
        body.WriteString(joined.MemberId);
        var members = joined.Members ?? [];
        body.WriteInt32(members.Count);
        foreach (var member in members)
        {
            body.WriteString(member.MemberId);
            if (version >= 5) body.WriteNullableString(member.InstanceId);
            body.WriteBytes(member.Metadata);
        }
        return Outcome.Reply;
    }

    private static JoinRequest? TryRead(Request request)
    {
        var reader = request.Read();
        var version = request.Version;
        var group = reader.ReadString();
        var sessionTimeout = reader.ReadInt32();
        var rebalanceTimeout = version >= 1 ? reader.ReadInt32() : sessionTimeout;
        var member = reader.ReadString();
        var instance = version >= 5 ? reader.ReadNullableString() : null;
        var protocolType = reader.ReadString();
        var protocols = new List<GroupProtocol>();
        var count = reader.ReadArrayLength(6);
        for (var i = 0; i < count && !reader.Failed; i++) protocols.Add(new GroupProtocol(reader.ReadString(), reader.ReadBytes().ToArray()));
        if (reader.Failed) return null;
        return new JoinRequest(
            group, TimeSpan.FromMilliseconds(sessionTimeout), TimeSpan.FromMilliseconds(rebalanceTimeout), member, instance, request.ClientId, request.ClientHost,
            protocolType, protocols, version >= FirstVersionWithKnownId);
    }
}
