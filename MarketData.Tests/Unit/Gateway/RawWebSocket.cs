using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>A client that sends whatever bytes a test wants, and reads the frames that come back; RFC 6455 by hand.</summary>
internal sealed class RawWebSocket : IDisposable
{
    private static readonly byte[] Mask = [0x12, 0x34, 0x56, 0x78];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TcpClient _tcp;
    private readonly Stream _stream;

    private RawWebSocket(TcpClient tcp) => (_tcp, _stream) = (tcp, tcp.GetStream());

    /// <summary>The answer to the handshake, up to its empty line.</summary>
    public string Answer { get; private set; } = "";

    /// <summary>Connects, and takes the handshake's answer and the greeting.</summary>
    /// <param name="endpoint">The gateway.</param>
    /// <param name="extensions">The header <c>Sec-WebSocket-Extensions</c>; null for none.</param>
    public static async Task<RawWebSocket> OpenAsync(Uri endpoint, string? extensions = null)
    {
        var tcp = new TcpClient();
        await tcp.ConnectAsync(endpoint.Host, endpoint.Port, TestContext.Current.CancellationToken);
        var socket = new RawWebSocket(tcp);
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"GET {endpoint.PathAndQuery} HTTP/1.1\r\nHost: {endpoint.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{(extensions == null ? "" : $"Sec-WebSocket-Extensions: {extensions}\r\n")}\r\n"));
        var answer = new List<byte>();
        while (!answer.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray())) answer.Add((await socket.ReadAsync(1))[0]);
        socket.Answer = Encoding.ASCII.GetString([.. answer]);
        var greeting = await socket.NextAsync();
        Assert.Contains("\"type\":\"connected\"", Encoding.UTF8.GetString(greeting.Payload), StringComparison.Ordinal);
        return socket;
    }

    /// <summary>A masked frame.</summary>
    /// <param name="first">The first byte: the final bit, reserved bits, the opcode.</param>
    /// <param name="payload">Before masking.</param>
    public static byte[] Frame(byte first, ReadOnlySpan<byte> payload)
    {
        var frame = new List<byte> { first };
        Span<byte> length = stackalloc byte[8];
        if (payload.Length < 126)
        {
            frame.Add((byte)(0x80 | payload.Length));
        }
        else if (payload.Length <= ushort.MaxValue)
        {
            frame.Add(0x80 | 126);
            BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)payload.Length);
            frame.AddRange(length[..2]);
        }
        else
        {
            frame.Add(0x80 | 127);
            BinaryPrimitives.WriteInt64BigEndian(length, payload.Length);
            frame.AddRange(length);
        }

        frame.AddRange(Mask);
        for (int i = 0; i < payload.Length; i++) frame.Add((byte)(payload[i] ^ Mask[i & 3]));
        return [.. frame];
    }

    public static byte[] Frame(byte first, string payload) => Frame(first, Encoding.UTF8.GetBytes(payload));

    public async Task SendAsync(params byte[][] frames) => await _stream.WriteAsync(frames.SelectMany(frame => frame).ToArray(), TestContext.Current.CancellationToken);

    /// <summary>The next frame, which must be whole and unmasked.</summary>
    public async Task<(byte First, byte[] Payload)> NextAsync()
    {
        var header = await ReadAsync(2);
        Assert.Equal(0, header[1] & 0x80);
        long length = header[1] switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(await ReadAsync(2)),
            127 => BinaryPrimitives.ReadInt64BigEndian(await ReadAsync(8)),
            var small => small,
        };
        return (header[0], await ReadAsync((int)length));
    }

    /// <summary>The text of the next frame, which must be text.</summary>
    public async Task<string> NextTextAsync()
    {
        var (first, payload) = await NextAsync();
        Assert.Equal(0x81, first);
        return Encoding.UTF8.GetString(payload);
    }

    /// <summary>Waits for the gateway's close frame and then for the end of the connection; what came before is thrown away.</summary>
    public async Task<int> ClosedAsync()
    {
        while (true)
        {
            var (first, payload) = await NextAsync();
            if (first != 0x88) continue;
            Assert.Empty(await ReadToEndAsync());
            return BinaryPrimitives.ReadUInt16BigEndian(payload);
        }
    }

    public void Dispose() => _tcp.Dispose();

    private async Task<byte[]> ReadToEndAsync()
    {
        using var rest = new MemoryStream();
        using var limit = new CancellationTokenSource(Patience);
        _tcp.Client.Shutdown(SocketShutdown.Send);
        await _stream.CopyToAsync(rest, limit.Token);
        return rest.ToArray();
    }

    private async Task<byte[]> ReadAsync(int length)
    {
        var bytes = new byte[length];
        using var limit = new CancellationTokenSource(Patience);
        await _stream.ReadExactlyAsync(bytes, limit.Token);
        return bytes;
    }
}
