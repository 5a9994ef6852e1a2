using MarketData.MockKalshi.Authentication;
using MarketData.MockKalshi.Dialects;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Faults;
using MarketData.MockKalshi.Rest;
using MarketData.ServiceDefaults.WebSockets;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;

namespace MarketData.MockKalshi.Protocol;

/// <summary>
/// The opening handshake of RFC 6455, section 4.2, by hand: the framework's own WebSocket can neither send a Ping with a payload nor
/// join many frames in one write.
/// </summary>
internal static class WebSocketEndpoint
{
    public const string Path = "/trade-api/ws/v2";

    public static void MapWebSocket(this IEndpointRouteBuilder endpoints) => endpoints.MapGet(Path, AcceptAsync);

    private static async Task AcceptAsync(
        HttpContext context,
        IExchange exchange,
        Dialect dialect,
        RequestAuthenticator authenticator,
        IOptions<AuthenticationOptions> authentication,
        IOptions<ConnectionOptions> options,
        FaultRegistry registry,
        MockKalshiMetrics metrics,
        TimeProvider timeProvider,
        ILogger<WebSocketConnection> logger,
        IHostApplicationLifetime lifetime)
    {
        var request = context.Request;
        if (Customer(request, authenticator, authentication.Value, out var refusal) is not { } customer)
        {
            await refusal.WriteAsync(context);
            return;
        }

        if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade
            || !string.Equals(request.Headers.Upgrade, "websocket", StringComparison.OrdinalIgnoreCase))
        {
            await RestError.WriteAsync(context, StatusCodes.Status400BadRequest, "bad_request", "a WebSocket upgrade is required here");
            return;
        }

        if (request.Headers.SecWebSocketVersion != "13")
        {
            context.Response.Headers.SecWebSocketVersion = "13";
            await RestError.WriteAsync(context, StatusCodes.Status426UpgradeRequired, "bad_request", "Sec-WebSocket-Version must be 13");
            return;
        }

        string key = request.Headers.SecWebSocketKey.ToString();
        if (!IsNonce(key))
        {
            await RestError.WriteAsync(context, StatusCodes.Status400BadRequest, "bad_request", "Sec-WebSocket-Key must be 16 bytes in base64");
            return;
        }

        context.Response.Headers.Upgrade = "websocket";
        context.Response.Headers.SecWebSocketAccept = WebSocketAccept.Of(key);
        // A quiet or slow reader is the connection's own business: it has its stall timeout.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } responseRate) responseRate.MinDataRate = null;
        var stream = await upgrade.UpgradeAsync();

        metrics.ConnectionOpened();
        try
        {
            using var faults = registry.Accept(context.Abort);
            using var connection = new WebSocketConnection(stream, customer, dialect, exchange, options.Value, faults, metrics, timeProvider, logger);
            if (!await connection.RunAsync(lifetime.ApplicationStopping)) context.Abort();
        }
        finally
        {
            metrics.ConnectionClosed();
        }
    }

    /// <summary>Whose connection it will be; empty for an anonymous one, null when it is refused.</summary>
    private static string? Customer(
        HttpRequest request, RequestAuthenticator authenticator, AuthenticationOptions options, out AuthenticationResult result)
    {
        result = default;
        bool anonymous = options is { Enabled: true, AllowAnonymous: true } && !request.Headers.ContainsKey(RequestAuthenticator.KeyHeader);
        if (anonymous) return "";
        result = authenticator.Authenticate(request);
        return result.Customer;
    }

    private static bool IsNonce(string key)
    {
        Span<byte> nonce = stackalloc byte[18];
        return key.Length == 24 && Convert.TryFromBase64String(key, nonce, out int length) && length == 16;
    }
}
