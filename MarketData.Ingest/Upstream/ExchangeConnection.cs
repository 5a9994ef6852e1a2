using System.Net.WebSockets;
using System.Text.Json;

namespace MarketData.Ingest.Upstream;

/// <summary>A frame as it came, with the time at which its last byte was read. The bytes are valid until the next receive.</summary>
/// <param name="Bytes">UTF-8 text.</param>
/// <param name="ReceivedTimestamp">Unix milliseconds.</param>
public readonly record struct ReceivedFrame(ReadOnlyMemory<byte> Bytes, long ReceivedTimestamp);

/// <summary>One WebSocket connection to the exchange: frames in, commands out. One receiver and any number of senders at a time.</summary>
public sealed class ExchangeConnection : IDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly TimeProvider _time;
    private readonly int _maxFrameBytes;
    private byte[] _buffer = new byte[64 << 10];

    private ExchangeConnection(UpstreamOptions options, TimeProvider time)
    {
        _time = time;
        _maxFrameBytes = options.MaxFrameBytes;
        // The exchange answers pings, so a silent connection is told from a quiet market within the liveness time.
        _socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(options.LivenessSeconds / 2.0);
        _socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(options.LivenessSeconds / 2.0);
    }

    /// <exception cref="WebSocketException">The exchange cannot be reached or refused the upgrade.</exception>
    /// <exception cref="TimeoutException">No answer to the handshake in time.</exception>
    public static async Task<ExchangeConnection> ConnectAsync(Uri address, UpstreamOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var connection = new ExchangeConnection(options, time);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(options.AnswerSeconds));
        try
        {
            await connection._socket.ConnectAsync(address, timeout.Token);
            return connection;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            connection.Dispose();
            throw new TimeoutException($"{address} did not answer the handshake within {options.AnswerSeconds} s.");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The next frame; null when the exchange closed the connection in order.</summary>
    /// <exception cref="WebSocketException">The connection was cut or went silent.</exception>
    /// <exception cref="InvalidDataException">A frame above the limit.</exception>
    public async ValueTask<ReceivedFrame?> ReceiveAsync(CancellationToken cancellationToken)
    {
        int length = 0;
        while (true)
        {
            var received = await _socket.ReceiveAsync(_buffer.AsMemory(length), cancellationToken);
            if (received.MessageType == WebSocketMessageType.Close) return null;
            length += received.Count;
            if (received.EndOfMessage) return new ReceivedFrame(_buffer.AsMemory(0, length), _time.GetUtcNow().ToUnixTimeMilliseconds());
            if (length < _buffer.Length) continue;
            if (_buffer.Length >= _maxFrameBytes) throw new InvalidDataException($"The exchange sent a frame of more than {_maxFrameBytes} bytes.");
            Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, _maxFrameBytes));
        }
    }

    public async Task SendAsync(object command, CancellationToken cancellationToken)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(command);
        await _sending.WaitAsync(cancellationToken);
        try
        {
            await _socket.SendAsync(bytes, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
        }
        finally
        {
            _sending.Release();
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _sending.Dispose();
    }
}
