using System.Net.WebSockets;
using MarketData.Gateway.Channels;

namespace MarketData.Gateway.Clients;

/// <summary>
/// One connected client as the feed sees it: what it subscribes, what waits for it, and what was conflated for it. Everything but the
/// queue belongs to the feed's loop.
/// </summary>
public sealed class GatewayClient(string sessionId, int maxQueueBytes, CancellationToken aborted)
{
    private readonly CancellationTokenSource _closing = CancellationTokenSource.CreateLinkedTokenSource(aborted);
    private volatile bool _isConflated;

    public string SessionId { get; } = sessionId;

    public SendQueue Queue { get; } = new(maxQueueBytes);

    /// <summary>Subscribed channels.</summary>
    public HashSet<ChannelName> Subscriptions { get; } = [];

    /// <summary>Number of the last routed message that this client was given: overlapping subscriptions deliver a message once.</summary>
    public long LastRouted { get; set; }

    /// <summary>Markets whose book or ticker was conflated: nothing of them is sent until their latest state is.</summary>
    public HashSet<ConflatedState> Conflated { get; } = [];

    /// <summary>Set while <see cref="Conflated"/> holds something, so that the send loop tells the feed when there is room again.</summary>
    public bool IsConflated
    {
        get => _isConflated;
        set => _isConflated = value;
    }

    /// <summary>Ends the connection's loops.</summary>
    public CancellationToken Closing => _closing.Token;

    public WebSocketCloseStatus CloseStatus { get; private set; } = WebSocketCloseStatus.NormalClosure;

    public string CloseReason { get; private set; } = string.Empty;

    /// <summary>Ends the connection with a code and a reason that the client sees. The first call counts.</summary>
    public void Close(WebSocketCloseStatus status, string reason)
    {
        lock (_closing)
        {
            if (_closing.IsCancellationRequested) return;
            (CloseStatus, CloseReason) = (status, reason);
        }

        _closing.Cancel();
    }
}

/// <summary>State of a market that is sent whole once a slow client has room again.</summary>
/// <param name="Ticker">The market.</param>
/// <param name="IsBook">The order book; else the ticker.</param>
public readonly record struct ConflatedState(string Ticker, bool IsBook);
