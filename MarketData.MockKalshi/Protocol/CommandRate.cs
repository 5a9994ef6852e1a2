namespace MarketData.MockKalshi.Protocol;

/// <summary>Counts a connection's commands in windows of one second. Not thread-safe.</summary>
internal sealed class CommandRate(int mostInSecond, TimeProvider timeProvider)
{
    private long _windowStart = timeProvider.GetTimestamp();
    private int _inWindow;

    /// <summary>True when the command just read is one more than a second may have: error 27.</summary>
    public bool IsExceeded()
    {
        if (timeProvider.GetElapsedTime(_windowStart) >= TimeSpan.FromSeconds(1))
        {
            _windowStart = timeProvider.GetTimestamp();
            _inWindow = 0;
        }

        return ++_inWindow > mostInSecond;
    }
}
