using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Keeps a member's session alive and tells it when to join again.</summary>
internal sealed class HeartbeatApi(GroupCoordinator coordinator) : IApi
{
    public ApiVersions Versions => new(ApiKey.Heartbeat, 0, 3);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var (group, generation, member) = (reader.ReadString(), reader.ReadInt32(), reader.ReadString());
        var instance = request.Version >= 3 ? reader.ReadNullableString() : null;
        if (reader.Failed) return new(Outcome.Close);
        if (request.Version >= 1) response.Body.WriteInt32(0); // throttle time
        response.Body.WriteError(coordinator.Heartbeat(group, generation, member, instance));
        return new(Outcome.Reply);
    }
}
