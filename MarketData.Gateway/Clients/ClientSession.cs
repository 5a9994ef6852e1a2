using System.Net.WebSockets;
using MarketData.Gateway.Admission;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Feed;
using MarketData.ServiceDefaults.WebSockets;

namespace MarketData.Gateway.Clients;

/// <summary>
/// The life of one WebSocket: requests in, one close handshake at the end. What goes out is the fan-out worker's.
/// </summary>
/// <param name="client">What the rest of the gateway knows of it.</param>
/// <param name="reader">What comes in.</param>
/// <param name="abort">Cuts the connection.</param>
/// <param name="feed">Where its requests go.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
public sealed partial class ClientSession(GatewayClient client, WebSocketReader reader, Action abort, FeedInbox feed, TimeProvider time, ILogger logger)
{
    // What no close frame may carry; RFC 6455, section 7.4.1.
    private const WebSocketCloseStatus Abnormal = (WebSocketCloseStatus)1006;
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5), Linger = TimeSpan.FromSeconds(1);

    /// <summary>Runs until either side closes.</summary>
    public async Task RunAsync()
    {
        LogConnected(client.SessionId);
        client.HeardAt = time.GetTimestamp();
        client.Signal();
        var receiving = ReceiveAsync();
        await client.Closing;
        await feed.PostAsync(new ClientGone(client), CancellationToken.None);
        if (client.Close!.IsAbrupt) abort();

        // The handshake: the worker sends the close frame, this reads up to the client's.
        var ending = Task.WhenAll(client.Left, receiving);
        try
        {
            await ending.WaitAsync(CloseTimeout, time);
        }
        catch (TimeoutException)
        {
            LogCut(client.SessionId, CloseTimeout.TotalSeconds);
            client.Abandon();
            abort();
            await ending;
        }

        LogDisconnected(client.SessionId, (int)client.Close.Status, client.Close.Reason);
    }

    private async Task ReceiveAsync()
    {
        try
        {
            while (await reader.ReadAsync(CancellationToken.None) is { } message)
            {
                client.HeardAt = time.GetTimestamp();
                if (message.Opcode == WebSocketOpcode.Close)
                {
                    client.TryClose(WebSocketClose.Read(message.Payload.Span) ?? WebSocketCloseStatus.NormalClosure, string.Empty);
                    return;
                }

                // Once closing, what still comes before the client's own close frame is thrown away.
                if (client.IsClosing) continue;
                if (message.Opcode == WebSocketOpcode.Ping) client.Pong(message.Payload.Span);
                else if (message.Opcode != WebSocketOpcode.Pong) await HandleAsync(message);
            }

            client.TryClose(Abnormal, "The client has ended the connection without a close frame.", isAbrupt: true);
        }
        catch (WebSocketProtocolException exception)
        {
            client.TryClose(exception.Status, exception.Message);
            await LingerAsync();
        }
        catch (Exception exception) when (IsLoss(exception))
        {
            client.TryClose(Abnormal, exception.Message, isAbrupt: true);
        }
        finally
        {
            client.TryClose(WebSocketCloseStatus.InternalServerError, "The gateway failed.");
        }
    }

    // Ending the request now, with unread bytes, would reset the connection before the client has read the close frame.
    private async Task LingerAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(Linger, time);
            await reader.DrainAsync(limit.Token);
        }
        catch (Exception exception) when (IsLoss(exception))
        {
            // It has gone, or goes on sending: both end here.
        }
    }

    private ValueTask HandleAsync(in WebSocketMessage message)
    {
        var verdict = client.Permit.OnMessage();
        if (verdict == InboundVerdict.Close)
        {
            client.TryClose(WebSocketCloseStatus.PolicyViolation, client.Permit.RateRule);
            return default;
        }

        FeedEvent asked = verdict == InboundVerdict.Refuse ? new ClientErred(client, client.Permit.RateRule)
            : message.Opcode == WebSocketOpcode.Binary ? new ClientErred(client, "Binary frames are not understood: send JSON as text.")
            : ClientRequest.TryParse(message.Payload, out var request, out var error) ? new ClientAsks(client, request)
            : new ClientErred(client, error);
        return feed.PostAsync(asked, CancellationToken.None);
    }

    // What a connection throws when the client is gone or was cut off.
    private static bool IsLoss(Exception exception) =>
        exception is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException;

    [LoggerMessage(1, LogLevel.Debug, "Client {SessionId} connected.")]
    private partial void LogConnected(string sessionId);

    [LoggerMessage(2, LogLevel.Debug, "Client {SessionId} is gone: {Code} {Reason}")]
    private partial void LogDisconnected(string sessionId, int code, string reason);

    [LoggerMessage(3, LogLevel.Debug, "Client {SessionId} did not take part in the close within {Seconds} s and was cut off.")]
    private partial void LogCut(string sessionId, double seconds);
}
