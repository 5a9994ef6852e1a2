using System.Buffers.Binary;
using System.Text;

namespace MarketData.LocalKafka.Protocol;

/// <summary>Writes the primitive types of the Kafka protocol into a buffer that grows and is used again. Not thread-safe.</summary>
internal sealed class WireWriter
{
    private const int KeptCapacity = 64 * 1024, LongestMessage = 1000;
    private byte[] _buffer = new byte[512];

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, Length);

    public void Clear()
    {
        Length = 0;
        if (_buffer.Length > KeptCapacity) _buffer = new byte[512];
    }

    public void WriteInt8(sbyte value) => Reserve(1)[0] = (byte)value;

    public void WriteBoolean(bool value) => WriteInt8((sbyte)(value ? 1 : 0));

    public void WriteInt16(short value) => BinaryPrimitives.WriteInt16BigEndian(Reserve(2), value);

    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Reserve(4), value);

    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64BigEndian(Reserve(8), value);

    public void WriteError(ErrorCode error) => WriteInt16((short)error);

    public void WriteNullableString(string? value)
    {
        if (value is null) WriteInt16(-1);
        else WriteString(value);
    }

    /// <summary>Words for the client; cut short when they quote something long, as a name of 32,767 bytes.</summary>
    public void WriteErrorMessage(string? message) => WriteNullableString(message?[..Math.Min(message.Length, LongestMessage)]);

    public void WriteString(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        WriteInt16(checked((short)length));
        Encoding.UTF8.GetBytes(value, Reserve(length));
    }

    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        WriteInt32(value.Length);
        WriteRaw(value);
    }

    public void WriteRaw(ReadOnlySpan<byte> value) => value.CopyTo(Reserve(value.Length));

    public void WriteInt32Array(ReadOnlySpan<int> values)
    {
        WriteInt32(values.Length);
        foreach (var value in values) WriteInt32(value);
    }

    public void WriteUnsignedVarint(uint value)
    {
        for (; value >= 0x80; value >>= 7) Reserve(1)[0] = (byte)(value | 0x80);
        Reserve(1)[0] = (byte)value;
    }

    /// <summary>Overwrites four bytes written before, for a length or count that is known only afterwards.</summary>
    public void PatchInt32(int position, int value) => BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(position, 4), value);

    private Span<byte> Reserve(int count)
    {
        if (_buffer.Length - Length < count) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, Length + count));
        Length += count;
        return _buffer.AsSpan(Length - count, count);
    }
}
