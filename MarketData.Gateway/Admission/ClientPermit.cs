namespace MarketData.Gateway.Admission;

/// <summary>
/// What one admitted connection may do, and whether it still does anything. <see cref="OnMessage"/> belongs to the connection's receive
/// loop, <see cref="OnSubscribed"/> and <see cref="OnUnsubscribed"/> to the feed's loop; the rest may be called from anywhere.
/// </summary>
public sealed class ClientPermit : IDisposable
{
    private readonly IDisposable _slot;
    private readonly InboundRate _rate;
    private readonly TimeProvider _time;
    private readonly int _messagesPerSecond;
    private long _lastMessage;
    private int _subscriptions;

    internal ClientPermit(Caller caller, IDisposable slot, GatewayOptions options, TimeProvider time)
    {
        Caller = caller;
        MaxSubscriptions = caller.Limits.MaxSubscriptions ?? options.MaxSubscriptions;
        (_slot, _time) = (slot, time);
        _messagesPerSecond = caller.Limits.MessagesPerSecond ?? options.MessagesPerSecond;
        _rate = new InboundRate(_messagesPerSecond, time);
        _lastMessage = time.GetTimestamp();
    }

    public Caller Caller { get; }

    /// <summary>Channels that it may subscribe.</summary>
    public int MaxSubscriptions { get; }

    /// <summary>Tells a client that sends too much what would be right.</summary>
    public string RateRule => $"Too many messages: at most {_messagesPerSecond} a second; what exceeds that is not carried out.";

    /// <summary>Channels that it subscribes.</summary>
    public int Subscriptions => Volatile.Read(ref _subscriptions);

    /// <summary>Call for each message of the client, before anything is done with it.</summary>
    public InboundVerdict OnMessage()
    {
        Volatile.Write(ref _lastMessage, _time.GetTimestamp());
        return _rate.Take();
    }

    public void OnSubscribed() => Volatile.Write(ref _subscriptions, _subscriptions + 1);

    public void OnUnsubscribed() => Volatile.Write(ref _subscriptions, _subscriptions - 1);

    /// <summary>Whether it subscribes nothing and has asked nothing for so long.</summary>
    public bool IsIdle(TimeSpan limit) => Subscriptions == 0 && _time.GetElapsedTime(Volatile.Read(ref _lastMessage)) >= limit;

    /// <summary>Whether the token that it was admitted with has expired.</summary>
    public bool IsExpired => Caller.ValidUntil <= _time.GetUtcNow();

    /// <summary>The connection has ended: its place is free.</summary>
    public void Dispose() => _slot.Dispose();
}
