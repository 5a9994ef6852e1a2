using System.Net.WebSockets;
using MarketData.Domain.Channels;
using MarketData.Gateway.Admission;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Feed;

namespace MarketData.Gateway.Clients;

/// <summary>
/// One connected client as the feed sees it: what it subscribes, what waits for it, and what was conflated for it. Subscriptions,
/// routing and conflated states belong to the feed's loop; the rest may be called from anywhere.
/// </summary>
public sealed class GatewayClient(string sessionId, int maxQueueBytes, ClientPermit permit)
{
    // RFC 6455, section 5.5: a control frame carries 125 bytes, of which the code takes two. All reasons are ASCII.
    private const int MaxReasonLength = 123;

    private readonly TaskCompletionSource _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ClientClose? _close;
    private int _isConflated;

    public string SessionId { get; } = sessionId;

    /// <summary>What it may do.</summary>
    public ClientPermit Permit { get; } = permit;

    public SendQueue Queue { get; } = new(maxQueueBytes);

    /// <summary>Subscribed channels.</summary>
    public HashSet<ChannelName> Subscriptions { get; } = [];

    /// <summary>Number of the last routed message that this client was given: overlapping subscriptions deliver a message once.</summary>
    public long LastRouted { get; set; }

    /// <summary>Markets whose book or ticker was conflated: nothing of them is sent until their latest state is.</summary>
    public HashSet<ConflatedState> Conflated { get; } = [];

    /// <summary>
    /// Set while <see cref="Conflated"/> holds something, so that the send loop tells the feed when there is room again. A full fence:
    /// the feed sets it and then looks at the queue, the send loop empties the queue and then looks at it, so one of them sees the other.
    /// </summary>
    public bool IsConflated
    {
        get => Volatile.Read(ref _isConflated) != 0;
        set => Interlocked.Exchange(ref _isConflated, value ? 1 : 0);
    }

    /// <summary>Completes when either side wants the connection to end.</summary>
    public Task Closing => _closing.Task;

    /// <summary>Why the connection ends; null while it goes on.</summary>
    public ClientClose? Close => Volatile.Read(ref _close);

    public bool IsClosing => Close != null;

    /// <summary>
    /// Ends the connection with a code and a reason that the client sees; what still waits for it is not sent. The first call counts:
    /// false when it is closing already.
    /// </summary>
    public bool TryClose(WebSocketCloseStatus status, string reason)
    {
        var close = new ClientClose(status, reason.Length <= MaxReasonLength ? reason : reason[..MaxReasonLength]);
        if (Interlocked.CompareExchange(ref _close, close, null) != null) return false;
        Queue.Complete();
        _closing.SetResult();
        return true;
    }

    /// <summary>Whether any subscribed channel carries this state.</summary>
    public bool Wants(ConflatedState state)
    {
        foreach (var name in Subscriptions)
        {
            if (name.IsAll || ((name.Ticker == null || name.Ticker == state.Market.Ticker) && name.Type.Stream() == state.Stream)) return true;
        }

        return false;
    }
}

/// <summary>How a connection ends.</summary>
public sealed record ClientClose(WebSocketCloseStatus Status, string Reason);

/// <summary>State of a market that is sent whole once a slow client has room again.</summary>
/// <param name="Market">The market.</param>
/// <param name="Stream">Its order book or its ticker.</param>
public readonly record struct ConflatedState(MarketFeed Market, StreamKind Stream);
