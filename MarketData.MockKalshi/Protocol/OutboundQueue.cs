using System.Buffers;
using MarketData.ServiceDefaults.WebSockets;

namespace MarketData.MockKalshi.Protocol;

/// <summary>
/// What waits to be sent on one connection, already framed. Many frames go out in one write, which is what makes 100,000 frames
/// a second to one client possible. Thread-safe; one task runs <see cref="SendAsync"/>.
/// </summary>
/// <remarks>
/// Bounded in two ways. Frames of a live stream are counted: past <paramref name="maxStreamFrames"/> the reader is too slow and the
/// frame is refused. Everything else is added by tasks that first wait for <see cref="WaitForRoomAsync"/>.
/// </remarks>
internal sealed class OutboundQueue(int maxStreamFrames)
{
    /// <summary>With more queued than this, whoever can wait waits until half of it has gone.</summary>
    private const int RoomBytes = 256 * 1024;

    private const int ChunkBytes = 64 * 1024;

    private readonly Lock _gate = new();
    private Queue<Chunk> _chunks = new();
    private Chunk? _tail;
    private TaskCompletionSource? _room, _filled;
    private int _streamFrames;
    private long _bytes;
    private bool _completed;

    /// <summary>Frames of live streams not yet handed to the socket.</summary>
    public bool HasRoomForStream
    {
        get { lock (_gate) return _streamFrames < maxStreamFrames; }
    }

    /// <summary>Adds a frame of a live stream; the caller has seen <see cref="HasRoomForStream"/>.</summary>
    /// <param name="payload">The message.</param>
    /// <param name="fragments">In how many WebSocket frames it goes out.</param>
    public void AddStreamFrame(ReadOnlySpan<byte> payload, int fragments = 1) => Add(WebSocketOpcode.Text, payload, fragments, streamFrames: 1);

    /// <summary>Adds a text frame whose sender waits for room.</summary>
    /// <param name="payload">The message.</param>
    /// <param name="fragments">In how many WebSocket frames it goes out.</param>
    public void AddText(ReadOnlySpan<byte> payload, int fragments = 1) => Add(WebSocketOpcode.Text, payload, fragments, streamFrames: 0);

    public void AddControl(WebSocketOpcode opcode, ReadOnlySpan<byte> payload) => Add(opcode, payload, fragments: 1, streamFrames: 0);

    /// <summary>Nothing is added any more; <see cref="SendAsync"/> ends when it has sent what is queued.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            WakeSender();
        }
    }

    /// <summary>Ends when the queue is short enough for more.</summary>
    public Task WaitForRoomAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_bytes <= RoomBytes) return Task.CompletedTask;
            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Sends what is added until <see cref="Complete"/>.</summary>
    /// <exception cref="TimeoutException">The client took nothing for <paramref name="stallTimeout"/>.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task SendAsync(Stream stream, TimeSpan stallTimeout)
    {
        using var stalled = new CancellationTokenSource();
        var batch = new Queue<Chunk>();
        while (await TakeAsync(batch) is { } taken)
        {
            batch = taken;
            while (batch.TryDequeue(out var chunk))
            {
                stalled.CancelAfter(stallTimeout);
                try
                {
                    await stream.WriteAsync(chunk.Bytes.AsMemory(0, chunk.Length), stalled.Token);
                }
                catch (OperationCanceledException) when (stalled.IsCancellationRequested)
                {
                    throw new TimeoutException($"the client has read nothing for {stallTimeout.TotalSeconds:0.#} s");
                }

                stalled.CancelAfter(Timeout.InfiniteTimeSpan);
                Sent(chunk);
            }
        }
    }

    private void Add(WebSocketOpcode opcode, ReadOnlySpan<byte> payload, int fragments, int streamFrames)
    {
        lock (_gate)
        {
            if (_completed) return;
            var rest = payload;
            for (int left = fragments; left > 1; left--)
            {
                AppendFrame(left == fragments ? opcode : WebSocketOpcode.Continuation, final: false, rest[..(rest.Length / left)]);
                rest = rest[(rest.Length / left)..];
            }

            AppendFrame(fragments == 1 ? opcode : WebSocketOpcode.Continuation, final: true, rest);
            _tail!.StreamFrames += streamFrames;
            _streamFrames += streamFrames;
            WakeSender();
        }
    }

    private void AppendFrame(WebSocketOpcode opcode, bool final, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[WebSocketFrame.MaxHeaderLength];
        int headerLength = WebSocketFrame.WriteHeader(header, opcode, payload.Length, isFinal: final);
        Append(header[..headerLength]);
        Append(payload);
        _bytes += headerLength + payload.Length;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_tail is null || _tail.Length == _tail.Bytes.Length)
            {
                _tail = new Chunk(ArrayPool<byte>.Shared.Rent(ChunkBytes));
                _chunks.Enqueue(_tail);
            }

            int fits = Math.Min(bytes.Length, _tail.Bytes.Length - _tail.Length);
            bytes[..fits].CopyTo(_tail.Bytes.AsSpan(_tail.Length));
            _tail.Length += fits;
            bytes = bytes[fits..];
        }
    }

    private void WakeSender()
    {
        _filled?.SetResult();
        _filled = null;
    }

    /// <summary>Exchanges an empty queue for all that is waiting; null when there is nothing and never will be.</summary>
    private async ValueTask<Queue<Chunk>?> TakeAsync(Queue<Chunk> empty)
    {
        while (true)
        {
            Task filled;
            lock (_gate)
            {
                if (_chunks.Count > 0)
                {
                    var taken = _chunks;
                    _chunks = empty;
                    _tail = null;
                    return taken;
                }

                if (_completed) return null;
                _filled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                filled = _filled.Task;
            }

            await filled;
        }
    }

    private void Sent(Chunk chunk)
    {
        lock (_gate)
        {
            _streamFrames -= chunk.StreamFrames;
            _bytes -= chunk.Length;
            if (_bytes <= RoomBytes / 2 && _room is { } room)
            {
                _room = null;
                room.SetResult();
            }
        }

        ArrayPool<byte>.Shared.Return(chunk.Bytes);
    }

    private sealed class Chunk(byte[] bytes)
    {
        public readonly byte[] Bytes = bytes;
        public int Length;
        public int StreamFrames;
    }
}
