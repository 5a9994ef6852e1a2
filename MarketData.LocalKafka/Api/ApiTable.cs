using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>Finds the handler of a request by its header. What a client is told of the versions comes from the same declarations.</summary>
internal sealed class ApiTable
{
    private readonly Dictionary<short, IApi> _apis;
    private readonly ApiVersionsApi _versions;

    public ApiTable(IEnumerable<IApi> apis)
    {
        _versions = new ApiVersionsApi();
        _apis = apis.Append(_versions).ToDictionary(api => (short)api.Versions.Key);
        _versions.Known = [.. _apis.Values.Select(api => api.Versions).OrderBy(versions => versions.Key)];
    }

    /// <summary>The request kind of a request that has been answered.</summary>
    public static ApiKey KeyOf(ReadOnlyMemory<byte> frame) => (ApiKey)new WireReader(frame.Span).ReadInt16();

    /// <summary>Answers one request.</summary>
    /// <param name="frame">The request without its length.</param>
    /// <param name="clientHost">The client's address.</param>
    /// <param name="response">Empty; gets the length, the correlation id and the body.</param>
    /// <param name="stopping">The broker stops.</param>
    /// <returns><see cref="Outcome.Close"/> for what a real broker does not answer: unknown kinds and versions, and malformed requests.</returns>
    public ValueTask<Outcome> HandleAsync(Memory<byte> frame, string clientHost, Response response, CancellationToken stopping)
    {
        var reader = new WireReader(frame.Span);
        var (key, version, correlationId) = (reader.ReadInt16(), reader.ReadInt16(), reader.ReadInt32());
        var clientId = reader.ReadNullableString() ?? "";
        if (reader.Failed || !_apis.TryGetValue(key, out var api)) return new(Outcome.Close);

        response.Body.WriteInt32(0);
        response.Body.WriteInt32(correlationId);
        var versions = api.Versions;
        if (version < versions.Min || version > versions.Max)
        {
            // A client asks for versions in the newest form it knows; it is told in the oldest form that it must ask in an older one.
            if (api != _versions) return new(Outcome.Close);
            ApiVersionsApi.WriteUnsupportedVersion(response.Body);
            return new(Outcome.Reply);
        }
        if (version >= versions.FirstFlexible) reader.SkipTaggedFields();
        if (reader.Failed) return new(Outcome.Close);
        return api.HandleAsync(new Request(version, clientId, clientHost, frame[reader.Position..]), response, stopping);
    }
}
