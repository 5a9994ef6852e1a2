using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using System.Net.WebSockets;
using System.Text.Unicode;

namespace MarketData.ServiceDefaults.WebSockets;

/// <summary>A whole message of the client, or a control frame.</summary>
/// <param name="Opcode">Text or binary, or which control frame.</param>
/// <param name="Payload">Valid until the next is read.</param>
public readonly record struct WebSocketMessage(WebSocketOpcode Opcode, ReadOnlyMemory<byte> Payload);

/// <summary>
/// Reads a client's frames and puts messages together: RFC 6455, section 5. While nothing comes it holds no buffer. One reader at a time.
/// </summary>
/// <param name="stream">The connection after the handshake.</param>
/// <param name="maxMessage">Largest message, in bytes, also once it is decompressed.</param>
/// <param name="isDeflated">Whether messages may be compressed; RFC 7692.</param>
public sealed class WebSocketReader(Stream stream, int maxMessage, bool isDeflated) : IDisposable
{
    private const int MaxHeader = 14, FirstBuffer = 512;

    // What the sender of a compressed message leaves out; RFC 7692, section 7.2.2.
    private static readonly byte[] DeflateTail = [0x00, 0x00, 0xff, 0xff];

    private byte[] _buffer = [];
    private int _start, _end;

    // A message that has come in part.
    private byte[] _message = [];
    private int _length;
    private WebSocketOpcode _opcode;
    private bool _isCompressed;

    private string TooLong => $"A request holds at most {maxMessage} bytes.";

    /// <summary>The next message or control frame; null when the client has ended the connection.</summary>
    /// <exception cref="WebSocketProtocolException">The client broke the protocol or a limit.</exception>
    /// <exception cref="IOException">The connection was cut.</exception>
    public async ValueTask<WebSocketMessage?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryTakeFrame(out var header, out var payload))
            {
                if (Take(header, payload) is { } message) return message;
            }
            else if (!await FillAsync(cancellationToken))
            {
                return null;
            }
        }
    }

    /// <summary>Reads and forgets what still comes, until the client ends the connection.</summary>
    /// <exception cref="IOException">The connection was cut.</exception>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        if (_buffer.Length == 0) _buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        while (await stream.ReadAsync(_buffer, cancellationToken) > 0)
        {
            // Forgotten.
        }
    }

    public void Dispose()
    {
        Release(ref _buffer);
        Release(ref _message);
    }

    private WebSocketMessage? Take(in FrameHeader header, Memory<byte> payload)
    {
        if (header.Opcode == WebSocketOpcode.Close) WebSocketClose.Read(payload.Span);
        if (header.IsControl) return new WebSocketMessage(header.Opcode, payload);
        if (header.Opcode != WebSocketOpcode.Continuation) (_opcode, _isCompressed) = (header.Opcode, header.IsCompressed);
        bool isWhole = header.IsFinal && header.Opcode != WebSocketOpcode.Continuation;
        if (!isWhole)
        {
            if (_message.Length < _length + payload.Length) Grow(ref _message, _length, _length + payload.Length);
            payload.CopyTo(_message.AsMemory(_length));
            _length += payload.Length;
            if (!header.IsFinal) return null;
            payload = _message.AsMemory(0, _length);
        }

        _length = 0;
        var opcode = _opcode;
        _opcode = WebSocketOpcode.Continuation;
        if (_isCompressed) payload = Inflate(payload);
        if (opcode == WebSocketOpcode.Text && !Utf8.IsValid(payload.Span)) throw new WebSocketProtocolException(WebSocketCloseStatus.InvalidPayloadData, "A text message is no valid UTF-8.");
        return new WebSocketMessage(opcode, payload);
    }

    // False when more bytes are needed.
    private bool TryTakeFrame(out FrameHeader header, out Memory<byte> payload)
    {
        payload = default;
        var bytes = _buffer.AsSpan(_start, _end - _start);
        if (!FrameHeader.TryRead(bytes, out header)) return false;
        if (header.Problem(isDeflated, isContinuing: _opcode != WebSocketOpcode.Continuation) is { } problem)
            throw new WebSocketProtocolException(WebSocketCloseStatus.ProtocolError, problem);
        if (!header.IsControl && header.PayloadLength > maxMessage - _length)
            throw new WebSocketProtocolException(WebSocketCloseStatus.MessageTooBig, TooLong);
        int length = (int)header.PayloadLength;
        if (bytes.Length < header.Length + length) return false;
        payload = _buffer.AsMemory(_start + header.Length, length);
        header.Unmask(payload.Span);
        _start += header.Length + length;
        return true;
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start == _end)
        {
            // Nothing is left in it, and nothing may come for hours.
            if (_length == 0) Release(ref _message);
            Release(ref _buffer);
            _start = _end = 0;
            await WaitForBytesAsync(cancellationToken);
            _buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        }
        else if (_end == _buffer.Length)
        {
            if (_start > 0) _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            else Grow(ref _buffer, _end, Math.Min(_buffer.Length * 2, Math.Max(maxMessage + MaxHeader, _buffer.Length + 1)));
            (_start, _end) = (0, _end - _start);
        }

        int read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += read;
        return read > 0;
    }

    // Completes once there are bytes, or the end.
    [SuppressMessage("Reliability", "CA2022", Justification = "Reads nothing: it waits without a buffer. Reading exactly nothing would not wait.")]
    private ValueTask<int> WaitForBytesAsync(CancellationToken cancellationToken) => stream.ReadAsync(Memory<byte>.Empty, cancellationToken);

    private Memory<byte> Inflate(ReadOnlyMemory<byte> compressed)
    {
        using var source = new MemoryStream([.. compressed.Span, .. DeflateTail]);
        using var inflate = new DeflateStream(source, CompressionMode.Decompress);
        var message = new byte[maxMessage + 1];
        try
        {
            int length = inflate.ReadAtLeast(message, message.Length, throwOnEndOfStream: false);
            if (length > maxMessage) throw new WebSocketProtocolException(WebSocketCloseStatus.MessageTooBig, TooLong);
            return message.AsMemory(0, length);
        }
        catch (InvalidDataException exception)
        {
            throw new WebSocketProtocolException(WebSocketCloseStatus.InvalidPayloadData, $"A compressed message cannot be read: {exception.Message}");
        }
    }

    private static void Grow(ref byte[] buffer, int used, int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent(needed);
        buffer.AsSpan(0, used).CopyTo(larger);
        Release(ref buffer);
        buffer = larger;
    }

    private static void Release(ref byte[] buffer)
    {
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }
}

/// <summary>A client broke the WebSocket protocol or a limit: the connection closes with this code and reason.</summary>
public sealed class WebSocketProtocolException(WebSocketCloseStatus status, string reason) : Exception(reason)
{
    public WebSocketCloseStatus Status { get; } = status;
}

/// <summary>The header of a frame from a client; RFC 6455, section 5.2.</summary>
internal readonly struct FrameHeader
{
    private const int LongestControl = WebSocketFrame.MaxControlPayload;
    private readonly byte _first, _second;
    private readonly uint _mask;

    private FrameHeader(byte first, byte second, long payloadLength, int length, uint mask)
    {
        (_first, _second, _mask) = (first, second, mask);
        (PayloadLength, Length) = (payloadLength, length);
    }

    /// <summary>Bytes of the header.</summary>
    public int Length { get; }

    /// <summary>Negative when its highest bit is set, which must not be.</summary>
    public long PayloadLength { get; }

    public WebSocketOpcode Opcode => (WebSocketOpcode)(_first & 0xf);

    public bool IsFinal => (_first & 0x80) != 0;

    public bool IsCompressed => (_first & 0x40) != 0;

    public bool IsControl => (_first & 0x8) != 0;

    private bool IsMasked => (_second & 0x80) != 0;

    /// <summary>False when more bytes are needed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out FrameHeader header)
    {
        header = default;
        if (bytes.Length < 2) return false;
        int code = bytes[1] & 0x7f, extended = code switch { 126 => 2, 127 => 8, _ => 0 }, mask = (bytes[1] & 0x80) == 0 ? 0 : 4;
        if (bytes.Length < 2 + extended + mask) return false;
        long length = code switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            127 => BinaryPrimitives.ReadInt64BigEndian(bytes[2..]),
            _ => code,
        };
        header = new FrameHeader(bytes[0], bytes[1], length, 2 + extended + mask, mask == 0 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(bytes[(2 + extended)..]));
        return true;
    }

    /// <summary>What is wrong with it; null when nothing is.</summary>
    /// <param name="isDeflated">Whether compressed messages were agreed on.</param>
    /// <param name="isContinuing">Whether a message has come in part.</param>
    public string? Problem(bool isDeflated, bool isContinuing)
    {
        if ((_first & 0x30) != 0 || (IsCompressed && (!isDeflated || IsControl || Opcode == WebSocketOpcode.Continuation))) return "A reserved bit is set.";
        if (!IsMasked) return "A client's frames must be masked.";
        if (PayloadLength < 0 || ((_second & 0x7f) == 126 && PayloadLength < 126) || ((_second & 0x7f) == 127 && PayloadLength <= ushort.MaxValue)) return "A payload's length is not in its shortest form.";
        switch (Opcode)
        {
            case WebSocketOpcode.Close or WebSocketOpcode.Ping or WebSocketOpcode.Pong:
                return IsFinal && PayloadLength <= LongestControl ? null : "A control frame must be whole and hold at most 125 bytes.";
            case WebSocketOpcode.Continuation:
                return isContinuing ? null : "A continuation frame continues nothing.";
            case WebSocketOpcode.Text or WebSocketOpcode.Binary:
                return isContinuing ? "A message begins within another." : null;
            default:
                return $"Opcode {(int)Opcode} is not known.";
        }
    }

    public void Unmask(Span<byte> payload)
    {
        for (int i = 0; i < payload.Length; i++) payload[i] ^= (byte)(_mask >> (8 * (i & 3)));
    }
}
