using System.Net.WebSockets;
using MarketData.Gateway.Admission;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Feed;

namespace MarketData.Gateway.Clients;

/// <summary>
/// The life of one WebSocket: requests in, queued messages out, one close handshake at the end. No wait on the socket is ever cancelled:
/// that would cut the connection, and the client would not learn why.
/// </summary>
/// <param name="socket">The connection.</param>
/// <param name="client">What the feed knows of it.</param>
/// <param name="feed">Where its requests go.</param>
/// <param name="options">Limits.</param>
/// <param name="metrics">Counters.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
/// <param name="disconnected">Cancelled when the client has closed the TCP connection.</param>
public sealed partial class ClientSession(
    WebSocket socket,
    GatewayClient client,
    FeedInbox feed,
    GatewayOptions options,
    GatewayMetrics metrics,
    TimeProvider time,
    ILogger logger,
    CancellationToken disconnected)
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5), Linger = TimeSpan.FromSeconds(1);

    /// <summary>Runs until either side closes.</summary>
    public async Task RunAsync()
    {
        client.Queue.TryAdd(ClientReply.Connected(client.SessionId));
        LogConnected(client.SessionId);
        var sending = SendAsync();
        var receiving = ReceiveAsync();
        await client.Closing;
        await feed.PostAsync(new ClientGone(client), CancellationToken.None);

        // The handshake: one loop sends the close frame after the message that it is at, the other waits for the client's.
        var ending = Task.WhenAll(sending, receiving);
        try
        {
            await ending.WaitAsync(CloseTimeout, time);
        }
        catch (TimeoutException)
        {
            LogCut(client.SessionId, CloseTimeout.TotalSeconds);
            socket.Abort();
            await ending;
        }

        LogDisconnected(client.SessionId, (int)client.Close!.Status, client.Close.Reason);
    }

    private async Task ReceiveAsync()
    {
        try
        {
            var buffer = new byte[options.MaxRequestBytes];
            int length = 0;
            while (true)
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                if (received.MessageType == WebSocketMessageType.Close) break;
                length += received.Count;
                if (received.EndOfMessage && !client.IsClosing) await HandleAsync(received.MessageType, buffer.AsMemory(0, length));
                else if (length == buffer.Length) client.TryClose(WebSocketCloseStatus.MessageTooBig, $"A request holds at most {options.MaxRequestBytes} bytes.");
                // Once closing, what still comes before the client's own close frame is thrown away.
                if (received.EndOfMessage || client.IsClosing) length = 0;
            }

            client.TryClose(WebSocketCloseStatus.NormalClosure, string.Empty);
        }
        catch (Exception exception) when (IsLoss(exception))
        {
            client.TryClose(WebSocketCloseStatus.ProtocolError, exception.Message);
            // The socket has sent the close frame for a breach of the protocol itself. Ending the request now would reset the connection
            // before the client has read it.
            if (exception is WebSocketException { WebSocketErrorCode: not WebSocketError.ConnectionClosedPrematurely })
                await Task.Delay(Linger, time, disconnected).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            client.TryClose(WebSocketCloseStatus.InternalServerError, "The gateway failed.");
        }
    }

    private ValueTask HandleAsync(WebSocketMessageType type, ReadOnlyMemory<byte> message)
    {
        var verdict = client.Permit.OnMessage();
        if (verdict == InboundVerdict.Close)
        {
            client.TryClose(WebSocketCloseStatus.PolicyViolation, client.Permit.RateRule);
            return default;
        }

        FeedEvent asked = verdict == InboundVerdict.Refuse ? new ClientErred(client, client.Permit.RateRule)
            : type == WebSocketMessageType.Binary ? new ClientErred(client, "Binary frames are not understood: send JSON as text.")
            : ClientRequest.TryParse(message, out var request, out var error) ? new ClientAsks(client, request)
            : new ClientErred(client, error);
        return feed.PostAsync(asked, CancellationToken.None);
    }

    private async Task SendAsync()
    {
        try
        {
            var stall = TimeSpan.FromSeconds(options.StallSeconds);
            while (!client.IsClosing && await client.Queue.Messages.WaitToReadAsync())
            {
                while (!client.IsClosing && client.Queue.Messages.TryRead(out var message))
                {
                    var send = socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
                    if (!send.IsCompletedSuccessfully) await send.AsTask().WaitAsync(stall, time);
                    client.Queue.Sent(message.Length);
                    metrics.Sent(message.Length);
                    if (client.IsConflated && client.Queue.IsDrained)
                    {
                        client.IsConflated = false;
                        await feed.PostAsync(new ClientDrained(client), CancellationToken.None);
                    }
                }
            }

            await socket.CloseOutputAsync(client.Close!.Status, client.Close.Reason, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            if (client.TryClose(WebSocketCloseStatus.PolicyViolation, $"Nothing was read for {options.StallSeconds} s.")) metrics.ClosedSlow();
            socket.Abort();
        }
        catch (Exception exception) when (IsLoss(exception))
        {
            client.TryClose(WebSocketCloseStatus.EndpointUnavailable, exception.Message);
        }
        finally
        {
            client.TryClose(WebSocketCloseStatus.InternalServerError, "The gateway failed.");
        }
    }

    // What a socket throws when the client breaks the protocol, is gone, or was cut off.
    private static bool IsLoss(Exception exception) =>
        exception is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException;

    [LoggerMessage(1, LogLevel.Debug, "Client {SessionId} connected.")]
    private partial void LogConnected(string sessionId);

    [LoggerMessage(2, LogLevel.Debug, "Client {SessionId} is gone: {Code} {Reason}")]
    private partial void LogDisconnected(string sessionId, int code, string reason);

    [LoggerMessage(3, LogLevel.Debug, "Client {SessionId} did not take part in the close within {Seconds} s and was cut off.")]
    private partial void LogCut(string sessionId, double seconds);
}
