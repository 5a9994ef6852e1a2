using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Upstream;

/// <summary>Where the exchange is and how it is subscribed; configuration section <c>Upstream</c>.</summary>
public sealed class UpstreamOptions
{
    /// <summary>Whether this process takes the exchange's feed. Default true; false for a relay in a process of its own.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Root of the REST API, for example <c>https://demo-api.kalshi.co/trade-api/v2</c>. Default: the service <c>mock-kalshi</c>.</summary>
    public Uri? RestUrl { get; set; }

    /// <summary>The WebSocket, for example <c>wss://demo-api.kalshi.co/trade-api/ws/v2</c>. Default: the service <c>mock-kalshi</c>.</summary>
    public Uri? WebSocketUrl { get; set; }

    /// <summary>
    /// <c>kalshi</c>, which the exchange speaks in whichever number form; or <c>seed</c>, which the first mock of this system speaks in both
    /// its forms: every channel by market, no subscription numbers on data, so that no loss can be seen. Default <c>kalshi</c>.
    /// </summary>
    [RegularExpression("^(kalshi|seed)$", ErrorMessage = "Upstream:Dialect must be kalshi or seed.")]
    public string Dialect { get; set; } = "kalshi";

    /// <summary>
    /// Id of the API key that signs the handshake. Default none: the mock exchange wants no signature unless told to; the real one always does.
    /// </summary>
    public string? KeyId { get; set; }

    /// <summary>File with the private key of <see cref="KeyId"/>, PEM. Default none.</summary>
    public string? PrivateKeyFile { get; set; }

    /// <summary>The private key of <see cref="KeyId"/> itself as PEM text, from user secrets or a secret store. Default none. Never logged.</summary>
    public string? PrivateKey { get; set; }

    /// <summary>
    /// Status of the markets to list: <c>open</c>, <c>unopened</c>, <c>paused</c>, <c>closed</c>, <c>settled</c>, or empty for any. Default <c>open</c>.
    /// </summary>
    [RegularExpression("^(|open|unopened|paused|closed|settled)$", ErrorMessage = "Upstream:MarketStatus must be open, unopened, paused, closed, settled or empty.")]
    public string MarketStatus { get; set; } = "open";

    /// <summary>Combination markets: <c>exclude</c>, <c>only</c>, or empty for both. Default <c>exclude</c>.</summary>
    [RegularExpression("^(|exclude|only)$", ErrorMessage = "Upstream:MveFilter must be exclude, only or empty.")]
    public string MveFilter { get; set; } = "exclude";

    /// <summary>Series to list, separated by commas, for example <c>KXBTCD,KXFED</c>; empty for all. Default empty.</summary>
    [RegularExpression("^([A-Za-z0-9._-]+(,[A-Za-z0-9._-]+)*)?$", ErrorMessage = "Upstream:Series must be series tickers separated by commas.")]
    public string Series { get; set; } = "";

    /// <summary>Markets in one order-book command. Default 50.</summary>
    [Range(1, 1000, ErrorMessage = "Upstream:BatchSize must be 1 to 1000 markets.")]
    public int BatchSize { get; set; } = 50;

    /// <summary>Milliseconds between two order-book commands. Default 100.</summary>
    [Range(0, 60_000, ErrorMessage = "Upstream:BatchPauseMs must be 0 to 60000 milliseconds.")]
    public int BatchPauseMs { get; set; } = 100;

    /// <summary>Markets on one connection; more are spread over several. Default 50,000.</summary>
    [Range(1, 500_000, ErrorMessage = "Upstream:MarketsPerConnection must be 1 to 500000 markets.")]
    public int MarketsPerConnection { get; set; } = 50_000;

    /// <summary>Seconds between two listings of the open markets. Default 300.</summary>
    [Range(1, 86_400, ErrorMessage = "Upstream:RefreshSeconds must be 1 to 86400 seconds.")]
    public int RefreshSeconds { get; set; } = 300;

    /// <summary>Markets in one page of the listing. Default 1000.</summary>
    [Range(1, 1000, ErrorMessage = "Upstream:PageSize must be 1 to 1000 markets.")]
    public int PageSize { get; set; } = 1000;

    /// <summary>Seconds without any sign of life after which the connection counts as dead. Default 15.</summary>
    [Range(2, 600, ErrorMessage = "Upstream:LivenessSeconds must be 2 to 600 seconds.")]
    public int LivenessSeconds { get; set; } = 15;

    /// <summary>Seconds to wait for the answer to a command or to the handshake. Default 10.</summary>
    [Range(1, 600, ErrorMessage = "Upstream:AnswerSeconds must be 1 to 600 seconds.")]
    public int AnswerSeconds { get; set; } = 10;

    /// <summary>Whether trades that were missed are asked for at <c>GET /markets/trades</c>. Default true.</summary>
    public bool FillTrades { get; set; } = true;

    /// <summary>Largest frame accepted from the exchange, in bytes. Default 16 MiB.</summary>
    [Range(1024, 64 << 20, ErrorMessage = "Upstream:MaxFrameBytes must be 1024 to 67108864 bytes.")]
    public int MaxFrameBytes { get; set; } = 16 << 20;

    /// <summary>Where the exchange is: what is not set is taken from the address of the service <c>mock-kalshi</c>.</summary>
    /// <exception cref="InvalidOperationException">No address is known, or one is no URL; the message says what to set.</exception>
    public (Uri RestRoot, Uri WebSocket) Addresses(IConfiguration configuration)
    {
        RequireScheme(RestUrl, "Upstream:RestUrl", "http", "https");
        RequireScheme(WebSocketUrl, "Upstream:WebSocketUrl", "ws", "wss");
        if (RestUrl != null && WebSocketUrl != null) return (RestUrl, WebSocketUrl);
        var address = configuration["services:mock-kalshi:https:0"] ?? configuration["services:mock-kalshi:http:0"];
        if (!Uri.TryCreate(address, UriKind.Absolute, out var root))
        {
            throw new InvalidOperationException(
                "The exchange's address is unknown: set Upstream:RestUrl and Upstream:WebSocketUrl, or services:mock-kalshi:http:0 (for example http://127.0.0.1:9090).");
        }

        return (
            RestUrl ?? new Uri(root, "/trade-api/v2"),
            WebSocketUrl ?? new UriBuilder(new Uri(root, "/trade-api/ws/v2")) { Scheme = root.Scheme == "https" ? "wss" : "ws" }.Uri);
    }

    private static void RequireScheme(Uri? address, string key, string scheme, string secureScheme)
    {
        if (address is null || (address.IsAbsoluteUri && (address.Scheme == scheme || address.Scheme == secureScheme))) return;
        throw new InvalidOperationException($"{key} must be an absolute {scheme} or {secureScheme} URL, but is '{address}'.");
    }
}

/// <summary>Reports addresses and keys that cannot be used when the service starts.</summary>
public sealed class UpstreamValidation(IConfiguration configuration) : IValidateOptions<UpstreamOptions>
{
    public ValidateOptionsResult Validate(string? name, UpstreamOptions options)
    {
        try
        {
            options.Addresses(configuration);
            if (options.KeyId != null) RequestSigner.LoadKey(options).Dispose();
            else if ((options.PrivateKey ?? options.PrivateKeyFile) != null) return ValidateOptionsResult.Fail("A private key needs its id: set Upstream:KeyId.");
            return ValidateOptionsResult.Success;
        }
        catch (InvalidOperationException exception)
        {
            return ValidateOptionsResult.Fail(exception.Message);
        }
    }
}
