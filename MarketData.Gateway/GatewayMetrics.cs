using System.Diagnostics.Metrics;

namespace MarketData.Gateway;

/// <summary>The gateway's counters, for <c>/stats</c> and on the meter that carries the service's name.</summary>
public sealed class GatewayMetrics : IDisposable
{
    private readonly Meter _meter;
    private long _clients, _messagesIn, _messagesOut, _bytesOut, _conflations, _slowClosed, _repairs, _unreadable;

    public GatewayMetrics(IMeterFactory meters, IHostEnvironment environment)
    {
        _meter = meters.Create(environment.ApplicationName);
        _meter.CreateObservableUpDownCounter("gateway.clients", () => Clients, "{client}", "Connected WebSocket clients.");
        _meter.CreateObservableCounter("gateway.messages.received", () => MessagesIn, "{message}", "Messages received from Redis.");
        _meter.CreateObservableCounter("gateway.messages.sent", () => MessagesOut, "{message}", "Messages written to clients.");
        _meter.CreateObservableCounter("gateway.bytes.sent", () => BytesOut, "By", "Bytes of messages written to clients.");
        _meter.CreateObservableCounter("gateway.conflations", () => Conflations, "{market}", "Markets conflated to their latest state for a slow client.");
        _meter.CreateObservableCounter("gateway.clients.slow", () => SlowClosed, "{client}", "Clients closed because they read too slowly.");
        _meter.CreateObservableCounter("gateway.repairs", () => Repairs, "{repair}", "Books read again from their snapshot key after a loss.");
        _meter.CreateObservableCounter("gateway.messages.unreadable", () => Unreadable, "{message}", "Messages from Redis that are no envelopes.");
    }

    public long Clients => Volatile.Read(ref _clients);

    public long MessagesIn => Volatile.Read(ref _messagesIn);

    public long MessagesOut => Volatile.Read(ref _messagesOut);

    public long BytesOut => Volatile.Read(ref _bytesOut);

    public long Conflations => Volatile.Read(ref _conflations);

    public long SlowClosed => Volatile.Read(ref _slowClosed);

    public long Repairs => Volatile.Read(ref _repairs);

    public long Unreadable => Volatile.Read(ref _unreadable);

    /// <summary>Counts a client in and returns how many there are now.</summary>
    public long ClientConnected() => Interlocked.Increment(ref _clients);

    public void ClientDisconnected() => Interlocked.Decrement(ref _clients);

    public void Received() => Interlocked.Increment(ref _messagesIn);

    public void Sent(int bytes)
    {
        Interlocked.Increment(ref _messagesOut);
        Interlocked.Add(ref _bytesOut, bytes);
    }

    public void Conflated() => Interlocked.Increment(ref _conflations);

    public void ClosedSlow() => Interlocked.Increment(ref _slowClosed);

    public void Repaired() => Interlocked.Increment(ref _repairs);

    public void ReceivedUnreadable() => Interlocked.Increment(ref _unreadable);

    public void Dispose() => _meter.Dispose();
}
