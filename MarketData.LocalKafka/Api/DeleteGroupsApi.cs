using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Forgets groups that have no members, with their offsets.</summary>
internal sealed class DeleteGroupsApi(GroupOffsets offsets) : IApi
{
    public ApiVersions Versions => new(ApiKey.DeleteGroups, 0, 1);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var body = response.Body;
        var names = new List<string>();
        var count = reader.ReadArrayLength(2);
        for (var i = 0; i < count && !reader.Failed; i++) names.Add(reader.ReadString());
        if (reader.Failed) return new(Outcome.Close);
        body.WriteInt32(0); // throttle time
        var distinct = names.Distinct().ToArray();
        body.WriteInt32(distinct.Length);
        foreach (var name in distinct)
        {
            body.WriteString(name);
            body.WriteError(offsets.DeleteGroup(name));
        }
        return new(Outcome.Reply);
    }
}
