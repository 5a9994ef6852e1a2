namespace MarketData.Ingest.Upstream;

/// <summary>Full jitter below a bound that doubles from 0.5 s to 30 s and starts again after a minute of health.</summary>
public sealed class ReconnectBackoff(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.5), Last = TimeSpan.FromSeconds(30), Healthy = TimeSpan.FromSeconds(60);
    private TimeSpan _bound = First;
    private long _connectedAt;

    /// <summary>Call when a connection is up.</summary>
    public void Connected() => _connectedAt = time.GetTimestamp();

    /// <summary>The wait before the next attempt.</summary>
    public TimeSpan Next()
    {
        if (_connectedAt != 0 && time.GetElapsedTime(_connectedAt) >= Healthy) _bound = First;
        _connectedAt = 0;
        var wait = _bound * Random.Shared.NextDouble();
        _bound = _bound * 2 < Last ? _bound * 2 : Last;
        return wait;
    }
}
