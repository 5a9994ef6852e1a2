using System.Buffers.Binary;
using System.Text;

namespace MarketData.LocalKafka.Protocol;

/// <summary>
/// Reads the primitive types of the Kafka protocol from a request. Nothing here throws or allocates on the word of the client: a read
/// past the end, or a length that cannot be true, sets <see cref="Failed"/>, and every later read answers a default value. The caller
/// reads a whole request and checks <see cref="Failed"/> once.
/// </summary>
internal ref struct WireReader(ReadOnlySpan<byte> buffer)
{
    private readonly ReadOnlySpan<byte> _buffer = buffer;

    private static ReadOnlySpan<byte> Zeros => [0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>True once a read met something that is not a well-formed request.</summary>
    public bool Failed { get; private set; }

    /// <summary>Index of the next byte to read, from the start of the buffer.</summary>
    public int Position { get; private set; }

    public readonly int Remaining => _buffer.Length - Position;

    public sbyte ReadInt8() => (sbyte)Take(1)[0];

    public bool ReadBoolean() => ReadInt8() != 0;

    public short ReadInt16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public int ReadInt32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public long ReadInt64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    /// <summary>A string that the protocol does not allow to be null; a null one fails the read.</summary>
    public string ReadString()
    {
        var text = ReadNullableString();
        if (text is null) Fail();
        return text ?? "";
    }

    public string? ReadNullableString()
    {
        var length = ReadInt16();
        if (length >= 0) return ReadUtf8(length);
        if (length != -1) Fail();
        return null;
    }

    public ReadOnlySpan<byte> ReadBytes()
    {
        if (TryReadNullableBytes(out var range)) return _buffer[range];
        Fail();
        return [];
    }

    /// <summary>Reads bytes that may be null.</summary>
    /// <param name="range">Where the bytes stand in the buffer.</param>
    /// <returns>False when the bytes are null.</returns>
    public bool TryReadNullableBytes(out Range range)
    {
        range = default;
        var length = ReadInt32();
        if (length < 0)
        {
            if (length != -1) Fail();
            return false;
        }
        if (!Advance(length)) return false;
        range = (Position - length)..Position;
        return true;
    }

    /// <summary>Reads the length of an array that the protocol does not allow to be null; a null one fails the read.</summary>
    /// <param name="elementSize">The fewest bytes one element takes: a length that cannot fit in the rest of the request fails the read.</param>
    public int ReadArrayLength(int elementSize)
    {
        if (ReadNullableArrayLength(elementSize) is { } length) return length;
        Fail();
        return 0;
    }

    /// <inheritdoc cref="ReadArrayLength"/>
    /// <returns>Null for a null array.</returns>
    public int? ReadNullableArrayLength(int elementSize)
    {
        var length = ReadInt32();
        if (length == -1) return null;
        if (length >= 0 && (long)length * elementSize <= Remaining) return length;
        Fail();
        return 0;
    }

    public uint ReadUnsignedVarint()
    {
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var next = (byte)ReadInt8();
            value |= (uint)(next & 0x7f) << shift;
            if (next < 0x80) return value;
        }
        Fail();
        return 0;
    }

    /// <summary>A string of the flexible protocol versions: unsigned varint length plus one, then UTF-8.</summary>
    public string ReadCompactString()
    {
        var length = ReadUnsignedVarint();
        if (length is > 0 and <= (uint)short.MaxValue) return ReadUtf8((int)length - 1);
        Fail();
        return "";
    }

    public void SkipTaggedFields()
    {
        var count = ReadUnsignedVarint();
        for (uint i = 0; i < count && !Failed; i++)
        {
            ReadUnsignedVarint();
            var size = ReadUnsignedVarint();
            if (size > int.MaxValue || !Advance((int)size)) Fail();
        }
    }

    private string ReadUtf8(int length)
    {
        if (!Advance(length)) return "";
        var text = Encoding.UTF8.GetString(_buffer.Slice(Position - length, length));
        // Bytes that are no UTF-8 become three each; a text that could not be sent back is refused here.
        if (length <= short.MaxValue / 3 || Encoding.UTF8.GetByteCount(text) <= short.MaxValue) return text;
        Fail();
        return "";
    }

    private ReadOnlySpan<byte> Take(int count) => Advance(count) ? _buffer.Slice(Position - count, count) : Zeros[..count];

    private bool Advance(int count)
    {
        if (Failed || count > Remaining)
        {
            Fail();
            return false;
        }
        Position += count;
        return true;
    }

    /// <summary>Marks the request as malformed, for what only the caller can judge.</summary>
    public void Fail() => Failed = true;
}
