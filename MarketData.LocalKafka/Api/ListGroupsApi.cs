using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Lists every group that has members or committed offsets.</summary>
internal sealed class ListGroupsApi(GroupOffsets offsets) : IApi
{
    public ApiVersions Versions => new(ApiKey.ListGroups, 0, 2);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var body = response.Body;
        if (request.Version >= 1) body.WriteInt32(0); // throttle time
        body.WriteError(ErrorCode.None);
        var groups = offsets.ListGroups();
        body.WriteInt32(groups.Count);
        foreach (var (id, protocolType) in groups.OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            body.WriteString(id);
            body.WriteString(protocolType);
        }
        return new(Outcome.Reply);
    }
}
