using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Ends a membership at once, instead of by the end of its session.</summary>
internal sealed class LeaveGroupApi(GroupCoordinator coordinator) : IApi
{
    public ApiVersions Versions => new(ApiKey.LeaveGroup, 0, 2);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var (group, member) = (reader.ReadString(), reader.ReadString());
        if (reader.Failed) return new(Outcome.Close);
        if (request.Version >= 1) response.Body.WriteInt32(0); // throttle time
        response.Body.WriteError(coordinator.Leave(group, member));
        return new(Outcome.Reply);
    }
}
