using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using MarketData.Gateway.Admission;
using MarketData.Gateway.Clients;
using MarketData.ServiceDefaults.Metrics;

namespace MarketData.Gateway;

/// <summary>The gateway's counters, for <c>/stats</c> and on the meter that carries the service's name.</summary>
public sealed class GatewayMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly CountsBy<RefusalReason> _refused = new();
    private readonly ConcurrentDictionary<int, long> _closed = new();
    private long _messagesIn, _messagesOut, _bytesOut, _conflations, _slowClosed, _repairs, _unreadable, _private, _lost;

    public GatewayMetrics(IMeterFactory meters, IHostEnvironment environment, ConnectedClients clients)
    {
        _meter = meters.Create(environment.ApplicationName);
        _meter.CreateObservableUpDownCounter("gateway.clients", () => clients.Count, "{client}", "Connected WebSocket clients.");
        _meter.CreateObservableUpDownCounter("gateway.subscriptions", () => clients.Subscriptions, "{channel}", "Channels that clients subscribe, each counted for each client.");
        _refused.Observe(_meter, "gateway.refusals", "reason", "{request}", "Requests that were not let in, by reason.");
        _meter.CreateObservableCounter("gateway.clients.closed", ObserveClosed, "{client}", "Connections that ended, by WebSocket close code.");
        _meter.CreateObservableCounter("gateway.messages.received", () => MessagesIn, "{message}", "Messages received from Redis.");
        _meter.CreateObservableCounter("gateway.messages.sent", () => MessagesOut, "{message}", "Messages written to clients.");
        _meter.CreateObservableCounter("gateway.bytes.sent", () => BytesOut, "By", "Bytes of messages written to clients.");
        _meter.CreateObservableCounter("gateway.conflations", () => Conflations, "{market}", "Markets conflated to their latest state for a slow client.");
        _meter.CreateObservableCounter("gateway.clients.slow", () => SlowClosed, "{client}", "Clients closed because they read too slowly.");
        _meter.CreateObservableCounter("gateway.repairs", () => Repairs, "{repair}", "Books read again from their snapshot key after a loss.");
        _meter.CreateObservableCounter("gateway.messages.lost", () => LostMessages, "{message}", "Trades, tickers and life-cycle messages that never came from Redis; clients were told.");
        _meter.CreateObservableCounter("gateway.messages.unreadable", () => Unreadable, "{message}", "Messages from Redis that are no envelopes.");
        _meter.CreateObservableCounter("gateway.messages.private", () => Private, "{message}", "Messages from Redis that concern the exchange account: kept back, or their private fields cut out.");
    }

    public long MessagesIn => Volatile.Read(ref _messagesIn);

    public long MessagesOut => Volatile.Read(ref _messagesOut);

    public long BytesOut => Volatile.Read(ref _bytesOut);

    public long Conflations => Volatile.Read(ref _conflations);

    public long SlowClosed => Volatile.Read(ref _slowClosed);

    public long Repairs => Volatile.Read(ref _repairs);

    public long Unreadable => Volatile.Read(ref _unreadable);

    public long LostMessages => Volatile.Read(ref _lost);

    public long Private => Volatile.Read(ref _private);

    public IReadOnlyDictionary<string, long> RefusedByReason => _refused.ByName;

    /// <summary>Connections that ended, by WebSocket close code.</summary>
    public IReadOnlyDictionary<int, long> ClosedByCode => new SortedDictionary<int, long>(_closed);

    public void Refused(RefusalReason reason) => _refused.Increment(reason);

    public void Closed(int code) => _closed.AddOrUpdate(code, 1, static (_, count) => count + 1);

    public void Received() => Interlocked.Increment(ref _messagesIn);

    /// <summary>Called by each worker once in a pass.</summary>
    public void Sent(long messages, long bytes)
    {
        if (bytes == 0) return;
        Interlocked.Add(ref _messagesOut, messages);
        Interlocked.Add(ref _bytesOut, bytes);
    }

    public void Conflated() => Interlocked.Increment(ref _conflations);

    public void ClosedSlow() => Interlocked.Increment(ref _slowClosed);

    public void Repaired() => Interlocked.Increment(ref _repairs);

    public void Lost(long messages) => Interlocked.Add(ref _lost, messages);

    public void ReceivedUnreadable() => Interlocked.Increment(ref _unreadable);

    public void ReceivedPrivate() => Interlocked.Increment(ref _private);

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<long>> ObserveClosed() =>
        _closed.Select(closed => new Measurement<long>(closed.Value, new KeyValuePair<string, object?>("code", closed.Key)));
}
