namespace MarketData.Domain.Frames;

/// <summary>A part of a received buffer, kept as a position so that a parsed frame holds no reference to the buffer.</summary>
/// <param name="Start">Offset of the first byte.</param>
/// <param name="Length">Bytes; 0 when the part is absent.</param>
public readonly record struct ByteRange(int Start, int Length)
{
    public bool IsEmpty => Length == 0;

    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> buffer) => buffer.Slice(Start, Length);
}
