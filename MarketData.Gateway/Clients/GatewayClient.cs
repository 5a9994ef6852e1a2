using System.Net.WebSockets;
using MarketData.Gateway.Admission;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Fanout;
using MarketData.ServiceDefaults.WebSockets;

namespace MarketData.Gateway.Clients;

/// <summary>
/// One connected client as the rest of the gateway sees it: what it subscribes, which belongs to the feed's loop; what waits for it, which
/// belongs to its fan-out worker; and its end, which may come from anywhere.
/// </summary>
/// <param name="sessionId">Names it to the client and in the log.</param>
/// <param name="permit">What it may do.</param>
/// <param name="worker">Sends to it.</param>
/// <param name="output">What waits for it.</param>
public sealed class GatewayClient(string sessionId, ClientPermit permit, FanoutWorker worker, ClientOutput output)
{
    private readonly TaskCompletionSource _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ClientClose? _close;
    private byte[]? _pong;
    private long _heardAt;
    private int _isSignalled;
    private volatile bool _isAbandoned;

    public string SessionId { get; } = sessionId;

    /// <summary>What it may do.</summary>
    public ClientPermit Permit { get; } = permit;

    /// <summary>Subscribed channels.</summary>
    public HashSet<ChannelName> Subscriptions { get; } = [];

    public FanoutWorker Worker => worker;

    public ClientOutput Output => output;

    /// <summary>Completes when either side wants the connection to end.</summary>
    public Task Closing => _closing.Task;

    /// <summary>Completes when the worker has let go of the connection: the close frame is sent, or nothing can be sent any more.</summary>
    public Task Left => _left.Task;

    /// <summary>Why the connection ends; null while it goes on.</summary>
    public ClientClose? Close => Volatile.Read(ref _close);

    public bool IsClosing => Close != null;

    /// <summary>Whether the worker must let go at once.</summary>
    public bool IsAbandoned => _isAbandoned;

    /// <summary>When something last came from the client, as <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long HeardAt
    {
        get => Volatile.Read(ref _heardAt);
        set => Volatile.Write(ref _heardAt, value);
    }

    /// <summary>
    /// Ends the connection with a code and a reason that the client sees; what still waits for it is not sent. The first call counts:
    /// false when it is closing already.
    /// </summary>
    /// <param name="status">The code.</param>
    /// <param name="reason">ASCII.</param>
    /// <param name="isAbrupt">Whether to cut the connection without a close frame, because the client would not read it.</param>
    public bool TryClose(WebSocketCloseStatus status, string reason, bool isAbrupt = false)
    {
        if (Interlocked.CompareExchange(ref _close, new ClientClose(status, reason, isAbrupt), null) != null) return false;
        _closing.SetResult();
        Signal();
        return true;
    }

    /// <summary>Answers a ping. Of several that come before an answer is sent, the last is answered; RFC 6455, section 5.5.3.</summary>
    public void Pong(ReadOnlySpan<byte> payload)
    {
        Volatile.Write(ref _pong, WebSocketFrame.Pong(payload));
        Signal();
    }

    /// <summary>The pong frame that is due, once.</summary>
    public byte[]? TakePong() => Interlocked.Exchange(ref _pong, null);

    /// <summary>Lets the worker look at the client: it has come, can be written to again, is closing, or owes a pong.</summary>
    public void Signal()
    {
        if (Interlocked.Exchange(ref _isSignalled, 1) == 0) worker.Signalled(this);
    }

    /// <summary>The worker looks at the client now; what changes after this call signals again.</summary>
    public void TakeSignal() => Interlocked.Exchange(ref _isSignalled, 0);

    /// <summary>The connection is cut: <see cref="Left"/> completes soon.</summary>
    public void Abandon()
    {
        _isAbandoned = true;
        Signal();
    }

    /// <summary>The worker has let go of the connection.</summary>
    public void Leave() => _left.TrySetResult();
}

/// <summary>How a connection ends.</summary>
/// <param name="Status">The code of the close frame.</param>
/// <param name="Reason">Its reason.</param>
/// <param name="IsAbrupt">Whether the connection is cut without one.</param>
public sealed record ClientClose(WebSocketCloseStatus Status, string Reason, bool IsAbrupt);
