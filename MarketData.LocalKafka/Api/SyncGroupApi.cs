using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Takes the leader's assignment, and gives every member its own; held until the leader's is there.</summary>
internal sealed class SyncGroupApi(GroupCoordinator coordinator) : IApi
{
    public ApiVersions Versions => new(ApiKey.SyncGroup, 0, 3);

    public async ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var answer = Sync(request);
        if (answer is null) return Outcome.Close;
        var synced = await answer.WaitAsync(stopping);
        if (request.Version >= 1) response.Body.WriteInt32(0); // throttle time
        response.Body.WriteError(synced.Error);
        response.Body.WriteBytes(synced.Assignment);
        return Outcome.Reply;
    }

    private Task<SyncResult>? Sync(Request request)
    {
        var reader = request.Read();
        var (group, generation, member) = (reader.ReadString(), reader.ReadInt32(), reader.ReadString());
        var instance = request.Version >= 3 ? reader.ReadNullableString() : null;
        var assignments = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var count = reader.ReadArrayLength(6);
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var assigned = reader.ReadString();
            assignments[assigned] = reader.ReadBytes().ToArray();
        }
        return reader.Failed ? null : coordinator.SyncAsync(group, generation, member, instance, assignments);
    }
}
