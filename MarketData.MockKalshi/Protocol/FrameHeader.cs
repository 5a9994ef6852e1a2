using System.Buffers.Binary;

namespace MarketData.MockKalshi.Protocol;

/// <summary>Frame types of RFC 6455, section 5.2.</summary>
internal enum Opcode : byte
{
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
}

/// <summary>Writes the header of a server's WebSocket frame: unmasked, shortest length form (RFC 6455, section 5.2).</summary>
internal static class FrameHeader
{
    /// <summary>The longest header that <see cref="Write"/> makes, in bytes.</summary>
    public const int MaxLength = 10;

    /// <summary>Returns the header's length in bytes.</summary>
    public static int Write(Opcode opcode, bool final, int payloadLength, Span<byte> destination)
    {
        destination[0] = (byte)((final ? 0x80 : 0) | (byte)opcode);
        if (payloadLength < 126)
        {
            destination[1] = (byte)payloadLength;
            return 2;
        }

        if (payloadLength <= ushort.MaxValue)
        {
            destination[1] = 126;
            BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)payloadLength);
            return 4;
        }

        destination[1] = 127;
        BinaryPrimitives.WriteUInt64BigEndian(destination[2..], (ulong)payloadLength);
        return 10;
    }
}
