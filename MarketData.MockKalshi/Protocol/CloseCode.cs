using System.Buffers.Binary;
using System.Text;

namespace MarketData.MockKalshi.Protocol;

/// <summary>Close codes of RFC 6455, section 7.4.1, that this server sends.</summary>
internal enum CloseCode : ushort
{
    Normal = 1000,
    GoingAway = 1001,
    ProtocolError = 1002,
    InvalidPayload = 1007,
    MessageTooBig = 1009,
    InternalError = 1011,
}

/// <summary>The client broke RFC 6455; the connection ends with <see cref="Code"/>.</summary>
internal sealed class WebSocketViolationException(CloseCode code, string reason) : Exception(reason)
{
    public CloseCode Code { get; } = code;
}

/// <summary>The body of Close frames: empty, or a code and a UTF-8 reason.</summary>
internal static class CloseBody
{
    public static byte[] Write(CloseCode code, string reason)
    {
        byte[] body = new byte[2 + Encoding.UTF8.GetByteCount(reason)];
        BinaryPrimitives.WriteUInt16BigEndian(body, (ushort)code);
        Encoding.UTF8.GetBytes(reason, body.AsSpan(2));
        return body;
    }

    /// <summary>Whether a code may stand in a Close frame (RFC 6455, section 7.4).</summary>
    public static bool MayBeSent(int code) => code is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999);

    /// <summary>Checks what a client sent (RFC 6455, section 7.4); a code that may not be on the wire is a violation.</summary>
    public static void Validate(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty) return;
        if (body.Length == 1) throw new WebSocketViolationException(CloseCode.ProtocolError, "a close code has two bytes");
        int code = BinaryPrimitives.ReadUInt16BigEndian(body);
        if (!MayBeSent(code)) throw new WebSocketViolationException(CloseCode.ProtocolError, $"close code {code} may not be sent");
        if (!System.Text.Unicode.Utf8.IsValid(body[2..]))
            throw new WebSocketViolationException(CloseCode.InvalidPayload, "a close reason must be UTF-8");
    }
}
