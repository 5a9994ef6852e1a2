using System.Buffers.Binary;
using System.Net.WebSockets;

namespace MarketData.ServiceDefaults.WebSockets;

/// <summary>What a frame is; RFC 6455, section 5.2.</summary>
public enum WebSocketOpcode : byte
{
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xa,
}

/// <summary>Encodes the server's frames, which are not masked: RFC 6455, section 5.2.</summary>
public static class WebSocketFrame
{
    /// <summary>A frame's header takes at most this many bytes when it is not masked.</summary>
    public const int MaxHeaderLength = 10;

    /// <summary>A control frame carries at most this many bytes; RFC 6455, section 5.5.</summary>
    public const int MaxControlPayload = 125;

    private const int Final = 0x80, Compressed = 0x40;

    /// <summary>Writes a header and returns its length.</summary>
    /// <param name="target">At least <see cref="MaxHeaderLength"/> bytes.</param>
    /// <param name="opcode">What the frame is.</param>
    /// <param name="payloadLength">Bytes that follow.</param>
    /// <param name="isCompressed">Whether they are compressed; RFC 7692, section 6.</param>
    /// <param name="isFinal">Whether the message ends with it.</param>
    public static int WriteHeader(Span<byte> target, WebSocketOpcode opcode, int payloadLength, bool isCompressed = false, bool isFinal = true)
    {
        target[0] = (byte)((isFinal ? Final : 0) | (isCompressed ? Compressed : 0) | (int)opcode);
        if (payloadLength <= MaxControlPayload)
        {
            target[1] = (byte)payloadLength;
            return 2;
        }

        if (payloadLength <= ushort.MaxValue)
        {
            target[1] = 126;
            BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)payloadLength);
            return 4;
        }

        target[1] = 127;
        BinaryPrimitives.WriteInt64BigEndian(target[2..], payloadLength);
        return 10;
    }

    /// <summary>A text message as a frame.</summary>
    public static byte[] Text(ReadOnlySpan<byte> message) => Encode(WebSocketOpcode.Text, message);

    public static byte[] Ping() => Encode(WebSocketOpcode.Ping, []);

    public static byte[] Pong(ReadOnlySpan<byte> payload) => Encode(WebSocketOpcode.Pong, payload);

    /// <summary>A close frame with its code and reason; RFC 6455, section 5.5.1.</summary>
    public static byte[] Close(WebSocketCloseStatus status, string reason) => Encode(WebSocketOpcode.Close, WebSocketClose.Body(status, reason));

    private static byte[] Encode(WebSocketOpcode opcode, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[MaxHeaderLength];
        int length = WriteHeader(header, opcode, payload.Length);
        var frame = new byte[length + payload.Length];
        header[..length].CopyTo(frame);
        payload.CopyTo(frame.AsSpan(length));
        return frame;
    }
}
