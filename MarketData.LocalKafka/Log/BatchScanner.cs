using System.Buffers;
using MarketData.LocalKafka.Protocol;
using Microsoft.Win32.SafeHandles;

namespace MarketData.LocalKafka.Log;

/// <summary>
/// Walks the batches of a segment file in order, reading ahead in large steps. Stops at the end given, or earlier at the first bytes that
/// are not a whole batch; <see cref="Position"/> then tells where.
/// </summary>
internal sealed class BatchScanner : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly long _end;
    private byte[] _buffer;
    private long _bufferStart;
    private int _buffered;

    /// <param name="file">The segment's file.</param>
    /// <param name="start">A position where a batch begins.</param>
    /// <param name="end">Bytes from here on do not belong to the log.</param>
    /// <param name="readAhead">Bytes to read at a time: few to find one batch, many to go through a file.</param>
    public BatchScanner(SafeFileHandle file, long start, long end, int readAhead = 8 * 1024)
    {
        (_file, Position, _end) = (file, start, end);
        _bufferStart = start;
        _buffer = ArrayPool<byte>.Shared.Rent(readAhead);
    }

    /// <summary>Where the next batch begins.</summary>
    public long Position { get; private set; }

    /// <summary>Where the batch that was read last begins.</summary>
    public long BatchPosition { get; private set; }

    /// <summary>Reads the next header.</summary>
    /// <returns>False at the end, or when what follows is not a whole batch.</returns>
    public bool TryReadHeader(out RecordBatch batch)
    {
        if (!RecordBatch.TryRead(Peek(RecordBatch.HeaderSize), out batch) || batch.Size > _end - Position) return false;
        BatchPosition = Position;
        Position += batch.Size;
        return true;
    }

    /// <summary>The bytes of the batch that was read last; valid until the next call.</summary>
    public ReadOnlySpan<byte> ReadBytes(in RecordBatch batch)
    {
        Position = BatchPosition;
        var bytes = Peek(batch.Size);
        Position += batch.Size;
        return bytes;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private ReadOnlySpan<byte> Peek(int count)
    {
        if (Position < _bufferStart || Position + count > _bufferStart + _buffered)
        {
            if (count > _end - Position) return [];
            if (count > _buffer.Length)
            {
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = ArrayPool<byte>.Shared.Rent(count);
            }
            (_bufferStart, _buffered) = (Position, 0);
            var wanted = (int)Math.Min(_buffer.Length, _end - Position);
            while (_buffered < wanted)
            {
                var read = RandomAccess.Read(_file, _buffer.AsSpan(_buffered, wanted - _buffered), _bufferStart + _buffered);
                if (read == 0) break;
                _buffered += read;
            }
            if (_buffered < count) return [];
        }
        return _buffer.AsSpan((int)(Position - _bufferStart), count);
    }
}
