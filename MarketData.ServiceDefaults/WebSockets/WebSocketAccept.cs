using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace MarketData.ServiceDefaults.WebSockets;

/// <summary>The answer to a handshake's key; RFC 6455, section 4.2.2.</summary>
public static class WebSocketAccept
{
    private const string Guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>The header <c>Sec-WebSocket-Accept</c>.</summary>
    /// <param name="key">The request's <c>Sec-WebSocket-Key</c>.</param>
    [SuppressMessage("Security", "CA5350", Justification = "The algorithm is the protocol's; nothing is protected by it.")]
    public static string Of(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + Guid)));
}
