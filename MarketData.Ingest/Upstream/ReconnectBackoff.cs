namespace MarketData.Ingest.Upstream;

/// <summary>
/// Full jitter below a bound that doubles from 0.5 s to 30 s and starts again after a minute of health. A connection that the exchange
/// closed in order is followed by the next at once, unless connections keep ending.
/// </summary>
public sealed class ReconnectBackoff(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.5), Last = TimeSpan.FromSeconds(30), Healthy = TimeSpan.FromSeconds(60);
    private TimeSpan _bound = First;
    private long? _connectedAt;

    /// <summary>Call when a connection is up.</summary>
    public void Connected() => _connectedAt = time.GetTimestamp();

    /// <summary>The wait after a refusal that repeating does not cure: the longest, with jitter in its upper half.</summary>
    public TimeSpan NextAfterRefusal()
    {
        _connectedAt = null;
        _bound = Last;
        return Last * (0.5 + Random.Shared.NextDouble() / 2);
    }

    /// <summary>The wait before the next attempt.</summary>
    /// <param name="closedInOrder">Whether the exchange closed the connection, rather than that something failed.</param>
    public TimeSpan Next(bool closedInOrder)
    {
        if (_connectedAt is { } since && time.GetElapsedTime(since) >= Healthy) _bound = First;
        _connectedAt = null;
        var wait = closedInOrder && _bound == First ? TimeSpan.Zero : _bound * Random.Shared.NextDouble();
        _bound = _bound * 2 < Last ? _bound * 2 : Last;
        return wait;
    }
}
