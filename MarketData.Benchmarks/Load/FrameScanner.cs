using System.Buffers.Binary;
using MarketData.ServiceDefaults.WebSockets;

namespace MarketData.Benchmarks.Load;

/// <summary>One WebSocket frame from the server.</summary>
/// <param name="opcode">What it is.</param>
/// <param name="isFinal">Whether it ends its message.</param>
/// <param name="length">Bytes of its payload.</param>
/// <param name="payload">The payload; empty when it was skipped.</param>
internal readonly ref struct Frame(WebSocketOpcode opcode, bool isFinal, long length, ReadOnlySpan<byte> payload)
{
    public WebSocketOpcode Opcode { get; } = opcode;

    public bool IsFinal { get; } = isFinal;

    public long Length { get; } = length;

    public ReadOnlySpan<byte> Payload { get; } = payload;
}

/// <summary>
/// Finds the frames in what one connection received, however the reads cut it (RFC 6455, section 5.2). A payload that nobody wants to see is
/// skipped without being looked at or kept: that is what makes a client cheap. One for each connection.
/// </summary>
internal struct FrameScanner
{
    /// <summary>The largest payload that is handed out whole.</summary>
    public const int MaxWholeBytes = 1 << 20;

    private long _length, _left;
    private byte _first;

    /// <summary>Takes the frame at the start of the bytes, if all that is needed of it is there.</summary>
    /// <param name="bytes">What was received; after the call, what comes behind the frame. When there is no frame, the caller keeps what is left and puts it before the next read.</param>
    /// <param name="whole">Whether payloads are wanted. Those of control frames always are.</param>
    /// <param name="frame">The frame; its payload lies in <paramref name="bytes"/>.</param>
    /// <exception cref="InvalidDataException">The bytes are no frame that a server may send; the message says why.</exception>
    public bool TryRead(ref ReadOnlySpan<byte> bytes, bool whole, out Frame frame)
    {
        frame = default;
        if (_left > 0) return TrySkip(ref bytes, out frame);
        if (bytes.Length < 2) return false;

        byte first = bytes[0];
        int header = bytes[1] switch { 126 => 4, 127 => 10, _ => 2 };
        if (bytes.Length < header) return false;
        long length = header switch
        {
            4 => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            10 => BinaryPrimitives.ReadInt64BigEndian(bytes[2..]),
            _ => bytes[1],
        };
        bool isControl = (first & 8) != 0;
        Check(first, bytes[1], length, whole && !isControl);
        if (bytes.Length - header < length)
        {
            if (whole || isControl) return false;
            (_first, _length, _left) = (first, length, length);
            bytes = bytes[header..];
            return TrySkip(ref bytes, out frame);
        }

        frame = new Frame((WebSocketOpcode)(first & 0x0f), first >= 0x80, length, bytes.Slice(header, (int)length));
        bytes = bytes[(header + (int)length)..];
        return true;
    }

    private bool TrySkip(ref ReadOnlySpan<byte> bytes, out Frame frame)
    {
        int skipped = (int)Math.Min(_left, bytes.Length);
        bytes = bytes[skipped..];
        _left -= skipped;
        frame = _left > 0 ? default : new Frame((WebSocketOpcode)(_first & 0x0f), _first >= 0x80, _length, default);
        return _left == 0;
    }

    private static void Check(byte first, byte second, long length, bool whole)
    {
        if ((first & 0x70) != 0) throw new InvalidDataException("A frame has a reserved bit set, and no extension was negotiated.");
        if ((first & 0x0f) is > 2 and (< 8 or > 10)) throw new InvalidDataException($"A frame has the unknown opcode {first & 0x0f}.");
        if (second >= 0x80) throw new InvalidDataException("A frame from the server is masked.");
        if ((first & 8) != 0 && (first < 0x80 || length > WebSocketFrame.MaxControlPayload))
            throw new InvalidDataException($"A control frame is {(first < 0x80 ? "fragmented" : $"longer than {WebSocketFrame.MaxControlPayload} bytes")}.");
        if (length < 0) throw new InvalidDataException("The length of a frame is negative.");
        if (whole && length > MaxWholeBytes) throw new InvalidDataException($"A frame of {length} bytes is longer than the {MaxWholeBytes} that are looked at.");
    }
}
