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
            return new UpgradedConnection(await connect.AcceptAsync(), Socket: null, isDeflated);
        }

        headers.Connection = "Upgrade";
        headers.Upgrade = "websocket";
        headers.SecWebSocketAccept = WebSocketAccept.Of(context.Request.Headers.SecWebSocketKey.ToString());
        var stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        bool isPlain = context.Features.Get<ITlsHandshakeFeature>() == null;
        return new UpgradedConnection(stream, isPlain ? context.Features.Get<IConnectionSocketFeature>()?.Socket : null, isDeflated);
    }
}

/// <summary>A connection after the handshake.</summary>
/// <param name="Stream">Reads and writes through the server.</param>
/// <param name="Socket">To write to directly; null when the stream encrypts or shares the connection.</param>
/// <param name="IsDeflated">Whether compressed messages were agreed on.</param>
internal sealed record UpgradedConnection(Stream Stream, System.Net.Sockets.Socket? Socket, bool IsDeflated);
