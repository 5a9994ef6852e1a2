using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Gives an idempotent producer its id.</summary>
internal sealed class InitProducerIdApi(ProducerIds ids) : IApi
{
    public ApiVersions Versions => new(ApiKey.InitProducerId, 0, 1);

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var reader = request.Read();
        var body = response.Body;
        var transactionalId = reader.ReadNullableString();
        reader.ReadInt32(); // transaction timeout
        if (reader.Failed) return new(Outcome.Close);
        body.WriteInt32(0); // throttle time
        var error = transactionalId switch
        {
            null => ErrorCode.None,
            "" => ErrorCode.InvalidRequest,
            _ => ErrorCode.TransactionalIdAuthorizationFailed,
        };
        var isGiven = error == ErrorCode.None;
        body.WriteError(error);
        body.WriteInt64(isGiven ? ids.Next() : -1);
        body.WriteInt16((short)(isGiven ? 0 : -1));
        return new(Outcome.Reply);
    }
}
