using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace MarketData.Tests.Unit;

/// <summary>A frame from the server, with its first byte's flags.</summary>
internal sealed record RawFrame(int Opcode, bool Final, bool Compressed, byte[] Payload)
{
    public string Text => Encoding.UTF8.GetString(Payload);

    /// <summary>The code of a Close frame.</summary>
    public int CloseCode => Payload.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(Payload) : 0;
}

/// <summary>A client that writes the bytes of WebSocket frames itself, so that it can break the rules and see Pings.</summary>
internal sealed class RawClient : IDisposable
{
    public const int Continuation = 0, TextMessage = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly TcpClient _tcp = new();
    private NetworkStream _stream = null!;

    public string Handshake { get; private set; } = "";

    public static async Task<RawClient> ConnectAsync(Uri address, string key = "dGhlIHNhbXBsZSBub25jZQ==", string version = "13", string? extensions = null)
    {
        var client = new RawClient();
        await client._tcp.ConnectAsync(address.Host, address.Port, Token());
        client._stream = client._tcp.GetStream();
        string request = $"GET {address.AbsolutePath} HTTP/1.1\r\nHost: {address.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + $"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: {version}\r\n{(extensions == null ? "" : $"Sec-WebSocket-Extensions: {extensions}\r\n")}\r\n";
        await client._stream.WriteAsync(Encoding.ASCII.GetBytes(request), Token());
        while (!client.Handshake.EndsWith("\r\n\r\n", StringComparison.Ordinal))
            client.Handshake += (char)(await client.ReadAsync(1))[0];
        return client;
    }

    public Task SendTextAsync(string text) => SendAsync(TextMessage, Encoding.UTF8.GetBytes(text));

    public Task SendAsync(int opcode, byte[] payload, bool final = true) => SendBytesAsync(Compose((byte)((final ? 0x80 : 0) | opcode), payload));

    public async Task SendBytesAsync(byte[] bytes) => await _stream.WriteAsync(bytes, Token());

    /// <summary>A masked frame of text with the given first byte.</summary>
    public static byte[] Compose(byte first, string payload) => Compose(first, Encoding.UTF8.GetBytes(payload));

    /// <summary>A masked frame with the given first byte.</summary>
    public static byte[] Compose(byte first, byte[] payload)
    {
        byte[] mask = [0x11, 0x22, 0x33, 0x44];
        using var frame = new MemoryStream();
        frame.WriteByte(first);
        if (payload.Length < 126)
        {
            frame.WriteByte((byte)(0x80 | payload.Length));
        }
        else if (payload.Length <= ushort.MaxValue)
        {
            frame.Write([0xFE, (byte)(payload.Length >> 8), (byte)payload.Length]);
        }
        else
        {
            byte[] length = new byte[8];
            BinaryPrimitives.WriteInt64BigEndian(length, payload.Length);
            frame.WriteByte(0xFF);
            frame.Write(length);
        }

        frame.Write(mask);
        frame.Write(payload.Select((value, i) => (byte)(value ^ mask[i % 4])).ToArray());
        return frame.ToArray();
    }

    public async Task<RawFrame> ReceiveAsync()
    {
        byte[] head = await ReadAsync(2);
        Assert.True(head[1] < 0x80, "A server's frames are not masked.");
        long length = head[1];
        if (length == 126) length = BinaryPrimitives.ReadUInt16BigEndian(await ReadAsync(2));
        else if (length == 127) length = BinaryPrimitives.ReadInt64BigEndian(await ReadAsync(8));
        return new RawFrame(head[0] & 0x0F, (head[0] & 0x80) != 0, (head[0] & 0x40) != 0, await ReadAsync((int)length));
    }

    /// <summary>Skips to the next frame of a kind, for which the other frames do not give more time.</summary>
    public async Task<RawFrame> ReceiveAsync(int opcode)
    {
        return await SkipToAsync().WaitAsync(Patience, TestContext.Current.CancellationToken);

        async Task<RawFrame> SkipToAsync()
        {
            while (true)
            {
                if (await ReceiveAsync() is var frame && frame.Opcode == opcode) return frame;
            }
        }
    }

    /// <summary>Says that nothing more will be sent.</summary>
    public void EndSending() => _tcp.Client.Shutdown(SocketShutdown.Send);

    /// <summary>True when the server ends the connection, as it must after Close.</summary>
    public async Task<bool> EndsAsync() => await _stream.ReadAsync(new byte[1], Token()) == 0;

    public void Dispose() => _tcp.Dispose();

    private async Task<byte[]> ReadAsync(int count)
    {
        byte[] bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes, Token());
        return bytes;
    }

    private static CancellationToken Token() => new CancellationTokenSource(Patience).Token;
}
