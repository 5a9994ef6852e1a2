using System.Numerics;

namespace MarketData.Gateway.Fanout;

/// <summary>
/// Bytes of encoded frames, each once for all its clients. Positions count all bytes ever written; who writes must know that nobody needs
/// what is overwritten.
/// </summary>
/// <param name="capacity">Bytes, a power of two.</param>
public sealed class FrameRing(int capacity)
{
    // Pinned: sends hand the kernel these bytes themselves. Pages take memory once they are first written.
    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Checked(capacity), pinned: true);

    public int Capacity => _bytes.Length;

    /// <summary>Writes at a position; the end of the ring may lie within.</summary>
    public void Write(long position, ReadOnlySpan<byte> bytes)
    {
        int at = At(position), first = Math.Min(bytes.Length, _bytes.Length - at);
        bytes[..first].CopyTo(_bytes.AsSpan(at));
        bytes[first..].CopyTo(_bytes);
    }

    /// <summary>What lies in one piece from a position on, at most this many bytes.</summary>
    public ReadOnlySpan<byte> Piece(long position, long length)
    {
        int at = At(position);
        return _bytes.AsSpan(at, (int)Math.Min(length, _bytes.Length - at));
    }

    /// <summary>Copies from a position on.</summary>
    public void CopyTo(long position, Span<byte> target)
    {
        var piece = Piece(position, target.Length);
        piece.CopyTo(target);
        _bytes.AsSpan(0, target.Length - piece.Length).CopyTo(target[piece.Length..]);
    }

    private int At(long position) => (int)(position & (_bytes.Length - 1));

    private static int Checked(int capacity) =>
        BitOperations.IsPow2(capacity) ? capacity : throw new ArgumentOutOfRangeException(nameof(capacity), capacity, "A ring's capacity is a power of two.");
}
