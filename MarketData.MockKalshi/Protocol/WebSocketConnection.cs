using System.Net.WebSockets;
using System.Threading.Channels;
using MarketData.MockKalshi.Dialects;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Faults;
using MarketData.ServiceDefaults.WebSockets;

namespace MarketData.MockKalshi.Protocol;

/// <summary>
/// One upgraded connection: reads commands, keeps the Pings going, sends what the session produces, and closes as RFC 6455 asks.
/// </summary>
internal sealed partial class WebSocketConnection(
    Stream stream,
    string customer,
    Dialect dialect,
    IExchange exchange,
    ConnectionOptions options,
    ConnectionFaults faults,
    MockKalshiMetrics metrics,
    TimeProvider timeProvider,
    ILogger<WebSocketConnection> logger) : IDisposable
{
    /// <summary>Commands read but not yet executed; then the client's next bytes stay in its socket.</summary>
    private const int PendingCommands = 64;

    /// <summary>After a violation the client's bytes mean nothing; when none came for so long it has had time to take the Close.</summary>
    private static readonly TimeSpan QuietAfterViolation = TimeSpan.FromMilliseconds(200);

    private readonly OutboundQueue _outbound = new(options.StreamBuffer);
    private readonly CommandRate _rate = new(options.CommandsPerSecond, timeProvider);
    private readonly WebSocketReader _reader = new(stream, options.MaxMessageBytes, isDeflated: false);

    /// <summary>
    /// Returns when the connection is over; what ended it is logged, not thrown. False when bytes may still be unsent, so that the
    /// transport must be aborted.
    /// </summary>
    /// <param name="stopping">The server shuts down.</param>
    public async Task<bool> RunAsync(CancellationToken stopping)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var commands = Channel.CreateBounded<Command>(new BoundedChannelOptions(PendingCommands) { SingleReader = true, SingleWriter = true });
        var sending = _outbound.SendAsync(stream, options.StallTimeout);
        var session = dialect.Open(new SessionContext(_outbound, faults, metrics, options, timeProvider) { Customer = customer });
        var serving = exchange.ServeAsync(session, faults.Delayed(commands.Reader), ended.Token);
        var pinging = PingAsync(ended.Token);
        var receiving = ReceiveAsync(commands.Writer, ended.Token);

        await Task.WhenAny(receiving, serving, pinging, sending);
        await ended.CancelAsync();
        var farewell = await FarewellAsync(receiving, serving, pinging, stopping);

        if (farewell is { } body) _outbound.AddControl(WebSocketOpcode.Close, body);
        _outbound.Complete();
        return await FinishAsync(sending, receiving);
    }

    public void Dispose() => _reader.Dispose();

    /// <summary>Pings carry <c>heartbeat</c> (protocol reference, section 1.3).</summary>
    private async Task PingAsync(CancellationToken cancellationToken)
    {
        if (!dialect.Pings) await Task.Delay(Timeout.InfiniteTimeSpan, timeProvider, cancellationToken);
        using var timer = new PeriodicTimer(options.PingInterval, timeProvider);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (!faults.SuppressesPing()) _outbound.AddControl(WebSocketOpcode.Ping, "heartbeat"u8);
        }
    }

    /// <summary>Ends with the body of the client's Close, or null when the client just went.</summary>
    private async Task<byte[]?> ReceiveAsync(ChannelWriter<Command> commands, CancellationToken cancellationToken)
    {
        while (await _reader.ReadAsync(cancellationToken) is { } message)
        {
            await faults.UntilReadingGoesOnAsync(cancellationToken);
            switch (message.Opcode)
            {
                case WebSocketOpcode.Close:
                    return message.Payload.ToArray();
                case WebSocketOpcode.Ping:
                    await _outbound.WaitForRoomAsync(cancellationToken);
                    _outbound.AddControl(WebSocketOpcode.Pong, message.Payload.Span);
                    break;
                case WebSocketOpcode.Pong:
                    break;
                default:
                    var command = message.Opcode == WebSocketOpcode.Text ? dialect.Parse(message.Payload) : new Command { Malformed = true };
                    command = command with { IsExcess = _rate.IsExceeded(), ReceivedAt = timeProvider.GetTimestamp() };
                    await commands.WriteAsync(command, cancellationToken);
                    break;
            }
        }

        return null;
    }

    /// <summary>Waits for the loops to end and says what the Close frame carries; null when there is nobody to send it to.</summary>
    private async Task<byte[]?> FarewellAsync(Task<byte[]?> receiving, Task serving, Task pinging, CancellationToken stopping)
    {
        byte[]? farewell = stopping.IsCancellationRequested ? WebSocketClose.Body(WebSocketCloseStatus.EndpointUnavailable, "server shutting down") : null;
        try
        {
            // The close code goes back as it came.
            if (await receiving is { } body) farewell = body.Length >= 2 ? body[..2] : [];
        }
        catch (WebSocketProtocolException violation)
        {
            LogViolation(violation.Message, (int)violation.Status);
            farewell = WebSocketClose.Body(violation.Status, violation.Message);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // Cancelled because another loop ended first, or the socket broke under the read: no Close to answer.
        }

        try
        {
            await Task.WhenAll(serving, pinging);
        }
        catch (OperationCanceledException)
        {
            // The regular end of both loops.
        }
#pragma warning disable CA1031 // Whatever served the session failed: the client is told, and the failure is logged here, once.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogServingFailed(exception);
            farewell = WebSocketClose.Body(WebSocketCloseStatus.InternalServerError, "internal error");
        }

        return farewell;
    }

    private async Task<bool> FinishAsync(Task sending, Task receiving)
    {
        try
        {
            await sending.WaitAsync(options.CloseTimeout, timeProvider);
            if (receiving.Exception?.InnerException is WebSocketProtocolException) await DrainAsync();
            else if (!receiving.IsCompletedSuccessfully) await ReceiveCloseAsync().WaitAsync(options.CloseTimeout, timeProvider);
            return true;
        }
        catch (TimeoutException exception)
        {
            LogClientStalled(exception.Message);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or WebSocketProtocolException)
        {
            LogBroken(exception.Message);
        }

        return false;
    }

    /// <summary>The client's part of a closing handshake that the server began.</summary>
    private async Task ReceiveCloseAsync()
    {
        while (await _reader.ReadAsync(CancellationToken.None) is { Opcode: not WebSocketOpcode.Close })
        {
        }
    }

    /// <summary>
    /// Reads what the client still sends: unread bytes would turn the end into a reset, which can destroy the Close frame on its way.
    /// </summary>
    private async Task DrainAsync()
    {
        byte[] discarded = new byte[4096];
        using var enough = new CancellationTokenSource(options.CloseTimeout, timeProvider);
        try
        {
            while (true)
            {
                using var quiet = CancellationTokenSource.CreateLinkedTokenSource(enough.Token);
                quiet.CancelAfter(QuietAfterViolation);
                if (await stream.ReadAsync(discarded, quiet.Token) == 0) return;
            }
        }
        catch (OperationCanceledException)
        {
            // Quiet, or still sending after the time that closing may take.
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "A client broke the WebSocket protocol and is disconnected with code {Code}: {Reason}")]
    private partial void LogViolation(string reason, int code);

    [LoggerMessage(2, LogLevel.Error, "Serving a client failed; it is disconnected with code 1011")]
    private partial void LogServingFailed(Exception exception);

    [LoggerMessage(3, LogLevel.Warning, "A client is disconnected without a closing handshake: {Reason}")]
    private partial void LogClientStalled(string reason);

    [LoggerMessage(4, LogLevel.Debug, "A connection broke while it was closed: {Reason}")]
    private partial void LogBroken(string reason);
}
