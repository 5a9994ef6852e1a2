using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using MarketData.LocalKafka.Api;

namespace MarketData.LocalKafka.Server;

/// <summary>
/// One client: reads requests, answers them one after the other in the order they came, as the protocol demands. A request that is held
/// (join, sync, a fetch that waits) holds back those behind it.
/// </summary>
internal sealed class ClientConnection(Socket socket, ApiTable apis, BrokerMetrics metrics, BrokerOptions options, TimeProvider time)
{
    private const int MinBufferSize = 4 * 1024, KeptBufferSize = 1024 * 1024, SendChunk = 128 * 1024, LengthSize = sizeof(int);

    private readonly Response _response = new();
    private readonly string _host = "/" + ((socket.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "");
    private byte[] _buffer = new byte[MinBufferSize];
    private int _start, _end;

    /// <summary>Time stamp since which the connection has waited for its client, or 0 while a request is at work.</summary>
    private long _waitingSince = time.GetTimestamp();

    /// <summary>How long the client has neither sent nor taken anything.</summary>
    public TimeSpan Idle => Volatile.Read(ref _waitingSince) is > 0 and var since ? time.GetElapsedTime(since) : TimeSpan.Zero;

    /// <summary>Serves the client until it goes, sends what is no request, or the broker stops.</summary>
    /// <exception cref="SocketException">The connection broke.</exception>
    /// <exception cref="OperationCanceledException">The broker stops.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (await ReadFrameAsync(stopping) is { } frame)
        {
            _response.Clear();
            Volatile.Write(ref _waitingSince, 0);
            var began = time.GetTimestamp();
            var outcome = await apis.HandleAsync(frame, _host, _response, stopping);
            Volatile.Write(ref _waitingSince, time.GetTimestamp());
            if (outcome == Outcome.Close) return;
            _response.Complete();
            metrics.Request(ApiTable.KeyOf(frame), LengthSize + frame.Length, outcome == Outcome.Reply ? _response.Length : 0, time.GetElapsedTime(began));
            if (outcome == Outcome.Reply) await SendAsync(stopping);
        }
    }

    /// <summary>Closes the connection from outside; <see cref="RunAsync"/> ends.</summary>
    public void Abort() => socket.Dispose();

    /// <summary>Reads one request. The buffer grows only as bytes arrive, never on the word of the length field.</summary>
    /// <returns>Null when the client is done, or announces a request that no client may send.</returns>
    private async ValueTask<Memory<byte>?> ReadFrameAsync(CancellationToken stopping)
    {
        if (_start == _end)
        {
            _start = _end = 0;
            if (_buffer.Length > KeptBufferSize) _buffer = new byte[MinBufferSize];
        }
        while (_end - _start < LengthSize)
            if (!await ReceiveAsync(LengthSize, stopping)) return null;
        var length = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_start));
        if (length < 0 || length > options.MaxRequestBytes) return null;
        while (_end - _start < LengthSize + length)
            if (!await ReceiveAsync(LengthSize + length, stopping)) return null;
        var frame = _buffer.AsMemory(_start + LengthSize, length);
        _start += LengthSize + length;
        return frame;
    }

    private async ValueTask<bool> ReceiveAsync(int wanted, CancellationToken stopping)
    {
        var held = _end - _start;
        if (_end == _buffer.Length || (_start > 0 && _start + wanted > _buffer.Length))
        {
            var size = _buffer.Length;
            if (wanted > size && held * 2 >= size) size = (int)Math.Min((long)LengthSize + options.MaxRequestBytes, size * 2L);
            var target = size == _buffer.Length ? _buffer : new byte[size];
            _buffer.AsSpan(_start, held).CopyTo(target);
            (_buffer, _start, _end) = (target, 0, held);
        }
        var received = await socket.ReceiveAsync(_buffer.AsMemory(_end), SocketFlags.None, stopping);
        Volatile.Write(ref _waitingSince, time.GetTimestamp());
        _end += received;
        return received > 0;
    }

    /// <summary>Sends the answer: small ones in one go, regions of log files through a buffer that is borrowed for the time.</summary>
    private async ValueTask SendAsync(CancellationToken stopping)
    {
        _response.Body.PatchInt32(0, checked((int)(_response.Length - LengthSize)));
        if (_response.Regions.Count == 0)
        {
            await SendAllAsync(_response.Body.Written, stopping);
            return;
        }
        var chunk = ArrayPool<byte>.Shared.Rent((int)Math.Min(SendChunk, _response.Length));
        try
        {
            var filled = 0;
            var sent = 0;
            foreach (var (at, region) in _response.Regions)
            {
                filled = await FillAsync(chunk, filled, _response.Body.Written[sent..at], stopping);
                sent = at;
                for (var done = 0; done < region.Length;)
                {
                    if (filled == chunk.Length) filled = await FlushAsync(chunk, filled, stopping);
                    var read = RandomAccess.Read(region.File, chunk.AsSpan(filled, Math.Min(chunk.Length - filled, region.Length - done)), region.Position + done);
                    if (read == 0) throw new IOException($"A log file ended {region.Length - done} bytes before the end of a batch.");
                    (filled, done) = (filled + read, done + read);
                }
            }
            filled = await FillAsync(chunk, filled, _response.Body.Written[sent..], stopping);
            await FlushAsync(chunk, filled, stopping);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    private async ValueTask<int> FillAsync(byte[] chunk, int filled, ReadOnlyMemory<byte> bytes, CancellationToken stopping)
    {
        while (bytes.Length > 0)
        {
            if (filled == chunk.Length) filled = await FlushAsync(chunk, filled, stopping);
            var count = Math.Min(bytes.Length, chunk.Length - filled);
            bytes[..count].CopyTo(chunk.AsMemory(filled));
            (bytes, filled) = (bytes[count..], filled + count);
        }
        return filled;
    }

    private async ValueTask<int> FlushAsync(byte[] chunk, int filled, CancellationToken stopping)
    {
        await SendAllAsync(chunk.AsMemory(0, filled), stopping);
        return 0;
    }

    private async ValueTask SendAllAsync(ReadOnlyMemory<byte> bytes, CancellationToken stopping)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, stopping)..];
            Volatile.Write(ref _waitingSince, time.GetTimestamp());
        }
    }
}
