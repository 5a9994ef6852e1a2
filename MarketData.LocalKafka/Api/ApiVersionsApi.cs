using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Tells clients what they may ask.</summary>
internal sealed class ApiVersionsApi : IApi
{
    public ApiVersions Versions => new(ApiKey.ApiVersions, 0, 3, FirstFlexible: 3);

    /// <summary>Every request kind there is; set once, by the table that knows them.</summary>
    public IReadOnlyList<ApiVersions> Known { get; set; } = [];

    /// <summary>Answers as Kafka 2.3 does: version 0, error 35, no list. Clients then ask again in version 0.</summary>
    public static void WriteUnsupportedVersion(WireWriter body)
    {
        body.WriteError(ErrorCode.UnsupportedVersion);
        body.WriteInt32(0);
    }

    public ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping)
    {
        var body = response.Body;
        var isFlexible = request.Version >= Versions.FirstFlexible;
        if (isFlexible && !IsWellFormed(request)) return new(Outcome.Close);
        body.WriteError(ErrorCode.None);
        if (isFlexible) body.WriteUnsignedVarint((uint)Known.Count + 1);
        else body.WriteInt32(Known.Count);
        foreach (var versions in Known)
        {
            body.WriteInt16((short)versions.Key);
            body.WriteInt16(versions.Min);
            body.WriteInt16(versions.Max);
            if (isFlexible) body.WriteUnsignedVarint(0);
        }
        if (request.Version >= 1) body.WriteInt32(0);
        if (isFlexible) body.WriteUnsignedVarint(0);
        return new(Outcome.Reply);
    }

    private static bool IsWellFormed(Request request)
    {
        var reader = request.Read();
        reader.ReadCompactString(); // client software name
        reader.ReadCompactString(); // client software version
        reader.SkipTaggedFields();
        return !reader.Failed;
    }
}
