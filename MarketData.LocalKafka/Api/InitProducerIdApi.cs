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
        var isTransactional = reader.ReadNullableString() is not null;
        reader.ReadInt32(); // transaction timeout
        if (reader.Failed) return new(Outcome.Close);
        body.WriteInt32(0); // throttle time
        body.WriteError(isTransactional ? ErrorCode.TransactionalIdAuthorizationFailed : ErrorCode.None);
        body.WriteInt64(isTransactional ? -1 : ids.Next());
        body.WriteInt16((short)(isTransactional ? -1 : 0));
        return new(Outcome.Reply);
    }
}
