namespace MarketData.MockKalshi.Exchange;

/// <summary>How far exchange time should have come: it passes <paramref name="speed"/> times as fast as real time. Not thread-safe.</summary>
/// <param name="timeProvider">Real time, on a clock that never steps.</param>
/// <param name="speed">1 is real pace.</param>
internal sealed class ExchangeClock(TimeProvider timeProvider, double speed)
{
    /// <summary>Longer behind than this in real time, the exchange does not try to catch up: its time has stood still meanwhile.</summary>
    private static readonly TimeSpan LongestLag = TimeSpan.FromSeconds(5);

    private DateTimeOffset _origin;
    private long _originTimestamp;

    public DateTimeOffset Now => _origin + timeProvider.GetElapsedTime(_originTimestamp) * speed;

    /// <summary>It is this time now.</summary>
    public void Set(DateTimeOffset time) => (_origin, _originTimestamp) = (time, timeProvider.GetTimestamp());

    /// <summary>The exchange has come no further than this time.</summary>
    public void Follow(DateTimeOffset reached)
    {
        if (Until(reached) < -LongestLag) Set(reached);
    }

    /// <summary>Real time until an exchange time; negative when that has passed.</summary>
    public TimeSpan Until(DateTimeOffset time) => (time - Now) / speed;
}
