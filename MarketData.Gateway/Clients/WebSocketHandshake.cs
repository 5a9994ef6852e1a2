using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace MarketData.Gateway.Clients;

/// <summary>
/// Accepts a WebSocket whose request the framework has found right, and hands out the connection itself: frames are read and written by
/// the gateway, because messages that are encoded once for everybody cannot go through a socket object of the framework's for each client.
/// </summary>
internal static class WebSocketHandshake
{
    // RFC 6455, section 1.3.
    private static readonly byte[] Guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8.ToArray();

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
        headers.SecWebSocketAccept = Accept(context.Request.Headers.SecWebSocketKey.ToString());
        var stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        bool isPlain = context.Features.Get<ITlsHandshakeFeature>() == null;
        return new UpgradedConnection(stream, isPlain ? context.Features.Get<IConnectionSocketFeature>()?.Socket : null, isDeflated);
    }

    [SuppressMessage("Security", "CA5350", Justification = "The algorithm is the protocol's; nothing is secret here.")]
    private static string Accept(string key) =>
        Convert.ToBase64String(SHA1.HashData([.. Encoding.ASCII.GetBytes(key), .. Guid]));
}

/// <summary>A connection after the handshake.</summary>
/// <param name="Stream">Reads and writes through the server.</param>
/// <param name="Socket">To write to directly; null when the stream encrypts or shares the connection.</param>
/// <param name="IsDeflated">Whether compressed messages were agreed on.</param>
internal sealed record UpgradedConnection(Stream Stream, System.Net.Sockets.Socket? Socket, bool IsDeflated);
