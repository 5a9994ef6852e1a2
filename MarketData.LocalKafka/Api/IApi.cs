using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>A request kind and the versions of it that are answered, both ends included.</summary>
/// <param name="Key">The request kind.</param>
/// <param name="Min">Lowest version.</param>
/// <param name="Max">Highest version.</param>
/// <param name="FirstFlexible">The version from which headers and bodies carry tagged fields; the default is never.</param>
internal readonly record struct ApiVersions(ApiKey Key, short Min, short Max, short FirstFlexible = short.MaxValue);

/// <summary>What becomes of the connection after a request.</summary>
internal enum Outcome
{
    Reply,

    /// <summary>The protocol has no answer to this request.</summary>
    NoReply,

    /// <summary>The request was malformed, or its error can be told in no other way.</summary>
    Close,
}

/// <summary>Answers one request kind. One instance serves all connections.</summary>
internal interface IApi
{
    ApiVersions Versions { get; }

    /// <summary>Reads the request and writes the answer's body.</summary>
    /// <param name="request">Valid until the returned task completes.</param>
    /// <param name="response">Empty.</param>
    /// <param name="stopping">The broker stops, or the connection is given up.</param>
    ValueTask<Outcome> HandleAsync(Request request, Response response, CancellationToken stopping);
}
