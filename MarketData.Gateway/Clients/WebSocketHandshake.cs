using System.Net.Sockets;
using MarketData.ServiceDefaults.WebSockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace MarketData.Gateway.Clients;

/// <summary>
/// Accepts a WebSocket whose request the framework has found right, and hands out the connection itself: frames are read and written by
/// the gateway, because messages that are encoded once for everybody cannot go through a socket object of the framework's for each client.
/// </summary>
internal static class WebSocketHandshake
{
    /// <summary>Answers the handshake; when this returns, the answer is on its way and the first frame may follow.</summary>
    public static async Task<UpgradedConnection> AcceptAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        bool isDeflated = DeflateOffer.IsAcceptable(context.Request.Headers.SecWebSocketExtensions);
        if (isDeflated) headers.SecWebSocketExtensions = DeflateOffer.Answer;
        if (context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
        {
            // HTTP/2: RFC 8441.
            return new UpgradedConnection(await connect.AcceptAsync(), isDeflated, context.Abort);
        }

        headers.Connection = "Upgrade";
        headers.Upgrade = "websocket";
        headers.SecWebSocketAccept = WebSocketAccept.Of(context.Request.Headers.SecWebSocketKey.ToString());
        var stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        bool isPlain = context.Features.Get<ITlsHandshakeFeature>() == null;
        if (!isPlain || context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket) return new UpgradedConnection(stream, isDeflated, context.Abort);
        var takeover = context.Features.GetRequiredFeature<ConnectionTakeover>();
        var connection = takeover.Connection;
        return new UpgradedConnection(connection.Transport.Input.AsStream(), isDeflated, connection.Abort) { Socket = socket, Takeover = takeover };
    }
}

/// <summary>A connection after the handshake.</summary>
/// <param name="Stream">Reads and, unless there is a socket, writes.</param>
/// <param name="IsDeflated">Whether compressed messages were agreed on.</param>
/// <param name="Abort">Cuts it.</param>
internal sealed record UpgradedConnection(Stream Stream, bool IsDeflated, Action Abort)
{
    /// <summary>To write to directly; null when the connection encrypts or is shared.</summary>
    public Socket? Socket { get; init; }

    /// <summary>Where to go on once the request has ended; null when the connection is the request's.</summary>
    public ConnectionTakeover? Takeover { get; init; }
}
