using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using MarketData.ServiceDefaults.WebSockets;

namespace MarketData.Benchmarks.Load;

/// <summary>What a load client sends (RFC 6455): the upgrade and masked frames. The mask is zero, which is one that a client may choose.</summary>
internal static class ClientFrames
{
    private const int MaskBytes = 4;

    /// <summary>A close frame with 1000.</summary>
    public static readonly byte[] NormalClose = Of(WebSocketOpcode.Close, [0x03, 0xe8]);

    public static readonly byte[] Upgrade =
        "GET /ws/market-data HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"u8.ToArray();

    /// <summary>The requests that subscribe these channels, each within the 4,096 bytes that the gateway takes.</summary>
    public static byte[] Subscribe(IReadOnlyList<string> channels)
    {
        const int BytesOfNames = 3500, BytesAroundName = 3;
        var bytes = new List<byte>();
        var some = new List<string>();
        int length = 0;
        foreach (string channel in channels)
        {
            if (length + channel.Length + BytesAroundName > BytesOfNames) Add();
            some.Add(channel);
            length += channel.Length + BytesAroundName;
        }

        Add();
        return [.. bytes];

        void Add()
        {
            bytes.AddRange(Of(WebSocketOpcode.Text, Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { action = "subscribe", channels = some }))));
            some.Clear();
            length = 0;
        }
    }

    public static byte[] Of(WebSocketOpcode opcode, ReadOnlySpan<byte> payload)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, ushort.MaxValue);
        int header = payload.Length < 126 ? 2 : 4;
        var frame = new byte[header + MaskBytes + payload.Length];
        frame[0] = (byte)(0x80 | (int)opcode);
        frame[1] = (byte)(0x80 | (header == 2 ? payload.Length : 126));
        if (header == 4) BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
        payload.CopyTo(frame.AsSpan(header + MaskBytes));
        return frame;
    }
}
