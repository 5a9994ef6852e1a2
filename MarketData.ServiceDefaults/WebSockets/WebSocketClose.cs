using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Text;
using System.Text.Unicode;

namespace MarketData.ServiceDefaults.WebSockets;

/// <summary>The body of a close frame: nothing, or a code and a reason; RFC 6455, sections 5.5.1 and 7.4.</summary>
public static class WebSocketClose
{
    /// <param name="status">The code.</param>
    /// <param name="reason">ASCII; what is too long for a control frame is cut off.</param>
    public static byte[] Body(WebSocketCloseStatus status, string reason)
    {
        var body = new byte[2 + Math.Min(reason.Length, WebSocketFrame.MaxControlPayload - 2)];
        BinaryPrimitives.WriteUInt16BigEndian(body, (ushort)status);
        Encoding.ASCII.GetBytes(reason.AsSpan(0, body.Length - 2), body.AsSpan(2));
        return body;
    }

    /// <summary>Whether a code may stand in a close frame.</summary>
    public static bool MayBeSent(int code) => code is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999);

    /// <summary>The code of a client's close frame; null when it gives none.</summary>
    /// <exception cref="WebSocketProtocolException">It is none that a client may send.</exception>
    public static WebSocketCloseStatus? Read(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty) return null;
        if (body.Length == 1) throw new WebSocketProtocolException(WebSocketCloseStatus.ProtocolError, "A close frame holds half a code.");
        int code = BinaryPrimitives.ReadUInt16BigEndian(body);
        if (!MayBeSent(code)) throw new WebSocketProtocolException(WebSocketCloseStatus.ProtocolError, $"Close code {code} may not be sent.");
        if (!Utf8.IsValid(body[2..])) throw new WebSocketProtocolException(WebSocketCloseStatus.InvalidPayloadData, "The reason of a close frame is no valid UTF-8.");
        return (WebSocketCloseStatus)code;
    }
}
