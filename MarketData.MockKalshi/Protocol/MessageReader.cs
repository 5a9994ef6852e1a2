using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Unicode;

namespace MarketData.MockKalshi.Protocol;

/// <summary>A whole message or a control frame from the client. The payload is valid until the next read.</summary>
internal readonly record struct ClientMessage(Opcode Opcode, ReadOnlyMemory<byte> Payload);

/// <summary>
/// Reads masked client frames from a stream (RFC 6455, section 5), joins fragments, and hands out control frames as they come
/// between them. Not thread-safe.
/// </summary>
/// <param name="stream">The upgraded connection.</param>
/// <param name="maxMessageBytes">A longer message ends the connection with code 1009.</param>
internal sealed class MessageReader(Stream stream, int maxMessageBytes)
{
    private const int RetainedMessageBytes = 64 * 1024;

    private readonly byte[] _buffer = new byte[8 * 1024];
    private readonly byte[] _control = new byte[125];
    private ArrayBufferWriter<byte> _message = new();
    private int _start, _end;
    private Opcode? _fragmented;

    /// <summary>The next message or control frame; null when the client ended the stream.</summary>
    /// <exception cref="WebSocketViolationException">The client broke the protocol; nothing more can be read.</exception>
    public async ValueTask<ClientMessage?> ReadAsync(CancellationToken cancellationToken)
    {
        // The previous message is no longer in use, unless it is still being joined.
        if (_fragmented is null) ClearMessage();
        while (true)
        {
            if (await ReadHeaderAsync(cancellationToken) is not { } header) return null;
            if (header.Opcode >= Opcode.Close)
            {
                var body = _control.AsMemory(0, (int)header.Length);
                if (!await ReadPayloadAsync(body, header.Mask, cancellationToken)) return null;
                if (header.Opcode == Opcode.Close) CloseBody.Validate(body.Span);
                return new ClientMessage(header.Opcode, body);
            }

            var opcode = JoinedOpcode(header);
            if (!await AppendPayloadAsync(header, cancellationToken)) return null;
            _fragmented = header.Final ? null : opcode;
            if (!header.Final) continue;
            if (opcode == Opcode.Text && !Utf8.IsValid(_message.WrittenSpan))
                throw new WebSocketViolationException(CloseCode.InvalidPayload, "text must be UTF-8");
            return new ClientMessage(opcode, _message.WrittenMemory);
        }
    }

    private readonly record struct Header(Opcode Opcode, bool Final, long Length, uint Mask);

    private async ValueTask<Header?> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        if (!await BufferAsync(2, cancellationToken)) return null;
        byte first = _buffer[_start], second = _buffer[_start + 1];
        var opcode = (Opcode)(first & 0x0F);
        bool final = (first & 0x80) != 0;
        if ((first & 0x70) != 0) throw Violation("reserved bits are set, but no extension was agreed");
        if ((second & 0x80) == 0) throw Violation("client frames must be masked");
        if (!Enum.IsDefined(opcode)) throw Violation($"opcode {(byte)opcode} is not defined");
        int shortLength = second & 0x7F;
        if (opcode >= Opcode.Close && (!final || shortLength > 125)) throw Violation("a control frame is final and at most 125 bytes long");

        int lengthBytes = shortLength switch { 126 => 2, 127 => 8, _ => 0 };
        if (!await BufferAsync(2 + lengthBytes + 4, cancellationToken)) return null;
        var rest = _buffer.AsSpan(_start + 2);
        ulong length = lengthBytes switch
        {
            2 => BinaryPrimitives.ReadUInt16BigEndian(rest),
            8 => BinaryPrimitives.ReadUInt64BigEndian(rest),
            _ => (ulong)shortLength,
        };
        if (length > long.MaxValue) throw Violation("the top bit of a length must be zero");
        uint mask = BinaryPrimitives.ReadUInt32LittleEndian(rest[lengthBytes..]);
        _start += 2 + lengthBytes + 4;
        return new Header(opcode, final, (long)length, mask);
    }

    private Opcode JoinedOpcode(Header header) => (header.Opcode, _fragmented) switch
    {
        (Opcode.Continuation, { } joined) => joined,
        (Opcode.Continuation, null) => throw Violation("a continuation without a message to continue"),
        (var opcode, null) => opcode,
        _ => throw Violation("a new message before the fragmented one was final"),
    };

    private async ValueTask<bool> AppendPayloadAsync(Header header, CancellationToken cancellationToken)
    {
        if (_message.WrittenCount + header.Length > maxMessageBytes)
            throw new WebSocketViolationException(CloseCode.MessageTooBig, $"messages may have at most {maxMessageBytes} bytes");

        // Memory grows with what has arrived, not with what the header promises.
        long left = header.Length;
        uint mask = header.Mask;
        while (left > 0)
        {
            int piece = (int)Math.Min(left, _buffer.Length);
            var destination = _message.GetMemory(piece)[..piece];
            if (!await ReadPayloadAsync(destination, mask, cancellationToken)) return false;
            _message.Advance(piece);
            left -= piece;
            mask = BitOperations.RotateRight(mask, 8 * (piece & 3));
        }

        return true;
    }

    private async ValueTask<bool> ReadPayloadAsync(Memory<byte> destination, uint mask, CancellationToken cancellationToken)
    {
        int buffered = Math.Min(destination.Length, _end - _start);
        _buffer.AsMemory(_start, buffered).CopyTo(destination);
        _start += buffered;
        var rest = destination[buffered..];
        int read = rest.IsEmpty ? 0 : await stream.ReadAtLeastAsync(rest, rest.Length, throwOnEndOfStream: false, cancellationToken);
        if (read < rest.Length) return false;
        Unmask(destination.Span, mask);
        return true;
    }

    private static void Unmask(Span<byte> payload, uint mask)
    {
        if (!BitConverter.IsLittleEndian) mask = BinaryPrimitives.ReverseEndianness(mask);
        var words = MemoryMarshal.Cast<byte, uint>(payload);
        for (int i = 0; i < words.Length; i++) words[i] ^= mask;
        Span<byte> key = stackalloc byte[4];
        MemoryMarshal.Write(key, mask);
        for (int i = words.Length * 4; i < payload.Length; i++) payload[i] ^= key[i & 3];
    }

    /// <summary>False when the stream ends before that many bytes are buffered.</summary>
    private async ValueTask<bool> BufferAsync(int count, CancellationToken cancellationToken)
    {
        if (_end - _start >= count) return true;
        _buffer.AsSpan(_start.._end).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        while (_end < count)
        {
            int read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            if (read == 0) return false;
            _end += read;
        }

        return true;
    }

    private void ClearMessage()
    {
        if (_message.Capacity > RetainedMessageBytes) _message = new ArrayBufferWriter<byte>();
        else _message.ResetWrittenCount();
    }

    private static WebSocketViolationException Violation(string reason) => new(CloseCode.ProtocolError, reason);
}
