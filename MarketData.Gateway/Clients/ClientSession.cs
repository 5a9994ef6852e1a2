using System.Net.WebSockets;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Feed;

namespace MarketData.Gateway.Clients;

/// <summary>The life of one WebSocket: requests in, queued messages out, one close at the end.</summary>
public sealed partial class ClientSession(
    WebSocket socket, GatewayClient client, FeedInbox feed, GatewayOptions options, GatewayMetrics metrics, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Runs until either side closes.</summary>
    public async Task RunAsync()
    {
        client.Queue.TryAdd(ClientReply.Connected(client.SessionId));
        LogConnected(client.SessionId);
        var sending = SendAsync();
        try
        {
            await ReceiveAsync();
        }
        catch (OperationCanceledException) when (client.Closing.IsCancellationRequested)
        {
            // Closed from this side; the reason is in the client.
        }
        catch (WebSocketException exception)
        {
            client.Close(WebSocketCloseStatus.ProtocolError, exception.Message);
        }

        await feed.PostAsync(new ClientGone(client), CancellationToken.None);
        client.Queue.Complete();
        client.Close(WebSocketCloseStatus.NormalClosure, string.Empty);
        await sending;
        await CloseAsync();
        LogDisconnected(client.SessionId, (int)client.CloseStatus, client.CloseReason);
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[options.MaxRequestBytes];
        int length = 0;
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(length), client.Closing);
            if (received.MessageType == WebSocketMessageType.Close) return;
            length += received.Count;
            if (!received.EndOfMessage)
            {
                if (length < buffer.Length) continue;
                client.Close(WebSocketCloseStatus.MessageTooBig, $"A request holds at most {options.MaxRequestBytes} bytes.");
                return;
            }

            if (received.MessageType == WebSocketMessageType.Binary) ReplyError("Binary frames are not understood: send JSON as text.");
            else await HandleAsync(buffer.AsMemory(0, length));
            length = 0;
        }
    }

    private async ValueTask HandleAsync(ReadOnlyMemory<byte> message)
    {
        if (!ClientRequest.TryParse(message, out var request, out var error)) ReplyError(error);
        else if (request!.Action == ClientAction.Ping) Reply(ClientReply.Pong(Now));
        else await feed.PostAsync(new ClientAsks(client, request), client.Closing);
    }

    private async Task SendAsync()
    {
        try
        {
            while (await client.Queue.Messages.WaitToReadAsync(client.Closing))
            {
                while (client.Queue.Messages.TryRead(out var message))
                {
                    var send = socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, client.Closing);
                    if (!send.IsCompletedSuccessfully) await send.AsTask().WaitAsync(TimeSpan.FromSeconds(options.StallSeconds), time, client.Closing);
                    client.Queue.Sent(message.Length);
                    metrics.Sent(message.Length);
                    if (client.IsConflated && client.Queue.IsDrained)
                    {
                        client.IsConflated = false;
                        await feed.PostAsync(new ClientDrained(client), client.Closing);
                    }
                }
            }
        }
        catch (TimeoutException)
        {
            metrics.ClosedSlow();
            client.Close(WebSocketCloseStatus.PolicyViolation, $"Nothing was read for {options.StallSeconds} s.");
            socket.Abort();
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException or ObjectDisposedException)
        {
            client.Close(WebSocketCloseStatus.EndpointUnavailable, "The connection was lost.");
        }
    }

    private async Task CloseAsync()
    {
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived)) return;
        using var timeout = new CancellationTokenSource(CloseTimeout, time);
        try
        {
            await socket.CloseOutputAsync(client.CloseStatus, client.CloseReason, timeout.Token);
            // Wait for the client's own close, so that the code is not lost in a reset.
            var rest = new byte[1024];
            while (socket.State == WebSocketState.CloseSent) await socket.ReceiveAsync(rest.AsMemory(), timeout.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException)
        {
            LogAborted(client.SessionId, exception.Message);
            socket.Abort();
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private void ReplyError(string error) => Reply(ClientReply.Error(error, Now));

    private void Reply(byte[] message)
    {
        if (!client.Queue.TryAdd(message)) client.Close((WebSocketCloseStatus)1013, "Too much waits for this client.");
    }

    [LoggerMessage(1, LogLevel.Debug, "Client {SessionId} connected.")]
    private partial void LogConnected(string sessionId);

    [LoggerMessage(2, LogLevel.Debug, "Client {SessionId} is gone: {Code} {Reason}")]
    private partial void LogDisconnected(string sessionId, int code, string reason);

    [LoggerMessage(3, LogLevel.Debug, "Client {SessionId} did not take part in the close: {Reason}")]
    private partial void LogAborted(string sessionId, string reason);
}
