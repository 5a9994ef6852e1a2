using MarketData.LocalKafka.Protocol;
using MarketData.LocalKafka.Server;

namespace MarketData.LocalKafka.Api;

/// <summary>Names the coordinator of a group: always this node. There is none for transactions.</summary>
internal sealed class FindCoordinatorApi(BrokerIdentity identity) : IApi
{
    private const sbyte GroupKey = 0, TransactionKey = 1;

    public ApiVersions Versions => new(ApiKey.FindCoordinator, 0, 2);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var body = response.Body;
        reader.ReadString(); // the group
        var keyType = request.Version >= 1 ? reader.ReadInt8() : GroupKey;
        if (reader.Failed) return new(Outcome.Close);
        var (error, message) = keyType switch
        {
            GroupKey => (ErrorCode.None, "NONE"), // Kafka names the error even when there is none
            TransactionKey => (ErrorCode.TransactionalIdAuthorizationFailed, "LocalKafka has no transactions; use an idempotent producer without a transactional id."),
            _ => (ErrorCode.UnknownServerError, $"Coordinator key type {keyType} does not exist."),
        };
        if (request.Version >= 1)
        {
            body.WriteInt32(0); // throttle time
            body.WriteError(error);
            body.WriteErrorMessage(message);
        }
        else body.WriteError(error);
        var found = error == ErrorCode.None;
        body.WriteInt32(found ? BrokerOptions.NodeId : -1);
        body.WriteString(found ? identity.Host : "");
        body.WriteInt32(found ? identity.Port : -1);
        return new(Outcome.Reply);
    }
}
