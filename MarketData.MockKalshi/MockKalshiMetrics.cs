using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MarketData.MockKalshi;

/// <summary>The exchange's counters, on a meter named after the application.</summary>
internal sealed class MockKalshiMetrics
{
    public const string MeterName = "MarketData.MockKalshi";

    private readonly UpDownCounter<int> _connections;
    private readonly Counter<long> _framesSent;
    private readonly Counter<long> _overflows;
    private readonly Counter<long> _faults;

    public MockKalshiMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _connections = meter.CreateUpDownCounter<int>("mock_kalshi.connections", "{connection}", "Open WebSocket connections.");
        _framesSent = meter.CreateCounter<long>("mock_kalshi.frames.sent", "{frame}", "Text frames sent to clients, by type.");
        _overflows = meter.CreateCounter<long>(
            "mock_kalshi.subscriptions.overflowed", "{subscription}", "Subscriptions ended because their client read too slowly.");
        _faults = meter.CreateCounter<long>("mock_kalshi.faults.fired", "{fault}", "Faults that fired as they were asked to, by kind.");
    }

    public void FaultFired(string kind) => _faults.Add(1, new TagList { { "kind", kind } });

    public void ConnectionOpened() => _connections.Add(1);

    public void ConnectionClosed() => _connections.Add(-1);

    public void FrameSent(string type) => _framesSent.Add(1, new TagList { { "type", type } });

    public void SubscriptionOverflowed() => _overflows.Add(1);
}
