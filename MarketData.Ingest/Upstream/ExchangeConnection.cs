using System.Net;
using System.Net.WebSockets;
using System.Text.Json;

namespace MarketData.Ingest.Upstream;

/// <summary>A frame as it came, with the time at which its last byte was read. The bytes are valid until the next receive.</summary>
/// <param name="Bytes">UTF-8 text.</param>
/// <param name="ReceivedTimestamp">Unix milliseconds.</param>
/// <param name="ReceivedAt">The same on the monotonic clock, for intervals.</param>
/// <param name="Connection">Which of the connections it came on, counted from 0.</param>
public readonly record struct ReceivedFrame(ReadOnlyMemory<byte> Bytes, long ReceivedTimestamp, long ReceivedAt, int Connection = 0);

/// <summary>One WebSocket connection to the exchange: frames in, commands out. One receiver and one sender at a time.</summary>
public sealed class ExchangeConnection : IDisposable
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);
    private readonly ClientWebSocket _socket = new();
    private readonly TimeProvider _time;
    private readonly int _maxFrameBytes;
    private byte[] _buffer;

    private ExchangeConnection(UpstreamOptions options, TimeProvider time)
    {
        _time = time;
        _maxFrameBytes = options.MaxFrameBytes;
        _buffer = new byte[Math.Min(64 << 10, _maxFrameBytes)];
        // The exchange answers pings, so a silent connection is told from a quiet market within the liveness time.
        _socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(options.LivenessSeconds / 2.0);
        _socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(options.LivenessSeconds / 2.0);
    }

    /// <exception cref="WebSocketException">The exchange cannot be reached or refused the upgrade.</exception>
    /// <exception cref="CredentialsRefusedException">The exchange wants another key.</exception>
    /// <exception cref="TimeoutException">No answer to the handshake in time.</exception>
    public static async Task<ExchangeConnection> ConnectAsync(
        Uri address, UpstreamOptions options, RequestSigner signer, TimeProvider time, CancellationToken cancellationToken)
    {
        var connection = new ExchangeConnection(options, time);
        connection._socket.Options.CollectHttpResponseDetails = true;
        foreach (var (name, value) in signer.Headers("GET", address)) connection._socket.Options.SetRequestHeader(name, value);
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
        catch (WebSocketException) when (connection._socket.HttpStatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            int status = (int)connection._socket.HttpStatusCode;
            connection.Dispose();
            throw new CredentialsRefusedException(address, status, isSigned: options.KeyId != null);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The next frame; null when the exchange closed the connection in order.</summary>
    /// <exception cref="IOException">The connection was cut or went silent.</exception>
    /// <exception cref="InvalidDataException">A frame above the limit.</exception>
    public async ValueTask<ReceivedFrame?> ReceiveAsync(CancellationToken cancellationToken)
    {
        int length = 0;
        while (true)
        {
            var received = await ReceivePartAsync(_buffer.AsMemory(length), cancellationToken);
            if (received.MessageType == WebSocketMessageType.Close) return null;
            length += received.Count;
            if (received.EndOfMessage) return new ReceivedFrame(_buffer.AsMemory(0, length), _time.GetUtcNow().ToUnixTimeMilliseconds(), _time.GetTimestamp());
            if (length < _buffer.Length) continue;
            if (_buffer.Length >= _maxFrameBytes) throw new InvalidDataException($"The exchange sent a frame of more than {_maxFrameBytes} bytes.");
            Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, _maxFrameBytes));
        }
    }

    /// <summary>Sends one command as JSON.</summary>
    /// <exception cref="IOException">The connection was cut.</exception>
    public async Task SendAsync(object command, CancellationToken cancellationToken)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(command);
        try
        {
            await _socket.SendAsync(bytes, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
        }
        catch (WebSocketException exception)
        {
            throw Broken(exception);
        }
    }

    /// <summary>Answers a close of the exchange with our own, as far as it still listens, and says what its reason was.</summary>
    public async Task<string> CloseAsync(CancellationToken cancellationToken)
    {
        string reason = $"{(int?)_socket.CloseStatus} {_socket.CloseStatusDescription}".TrimEnd();
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(CloseTimeout);
        await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return reason;
    }

    public void Dispose() => _socket.Dispose();

    private async ValueTask<ValueWebSocketReceiveResult> ReceivePartAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer, cancellationToken);
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw Broken(exception);
        }
    }

    // The socket reports a missed pong as a cancellation that holds the reason.
    private static IOException Broken(Exception exception) =>
        new($"The connection to the exchange broke: {(exception.InnerException ?? exception).Message}", exception);
}

/// <summary>The exchange answered the handshake with 401 or 403: trying again with the same key does not help.</summary>
public sealed class CredentialsRefusedException(Uri address, int status, bool isSigned) : Exception(isSigned
    ? $"{address} refused the key with {status}: check Upstream:KeyId, its private key and this machine's clock."
    : $"{address} refused the connection with {status}: it wants a signed handshake; set Upstream:KeyId and Upstream:PrivateKeyFile.");
