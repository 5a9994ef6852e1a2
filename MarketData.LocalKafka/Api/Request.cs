using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>A request as it came, its header read.</summary>
/// <param name="Version">Version of the request kind.</param>
/// <param name="ClientId">The client's name for itself, or empty.</param>
/// <param name="ClientHost">The client's address.</param>
/// <param name="Body">What follows the header. Produce stamps offsets into it.</param>
internal sealed record Request(short Version, string ClientId, string ClientHost, Memory<byte> Body)
{
    public WireReader Read() => new(Body.Span);
}
