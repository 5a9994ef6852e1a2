namespace MarketData.Tests;

/// <summary>Waits for a condition that nothing announces.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Looks again and again, for a minute at most.</summary>
    /// <exception cref="TimeoutException">It did not come true in time; the message is <paramref name="what"/>.</exception>
    public static Task TrueAsync(Func<bool> condition, Func<string> what) => TrueAsync(condition, TimeSpan.FromMinutes(1), what);

    /// <exception cref="TimeoutException">It did not come true in time; the message is <paramref name="what"/>.</exception>
    public static Task TrueAsync(Func<bool> condition, TimeSpan timeout, Func<string> what) =>
        TrueAsync(() => Task.FromResult(condition()), timeout, what);

    /// <summary>The same for a condition that has to be asked for.</summary>
    /// <exception cref="TimeoutException">It did not come true in a minute; the message is <paramref name="what"/>.</exception>
    public static Task TrueAsync(Func<Task<bool>> condition, Func<string> what) => TrueAsync(condition, TimeSpan.FromMinutes(1), what);

    /// <exception cref="TimeoutException">It did not come true in time; the message is <paramref name="what"/>.</exception>
    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan timeout, Func<string> what)
    {
        using var limit = new CancellationTokenSource(timeout);
        while (!await condition())
        {
            if (limit.IsCancellationRequested)
                throw new TimeoutException($"Not within {timeout.TotalSeconds} s: {what()}");
            await Task.Delay(Interval, TestContext.Current.CancellationToken);
        }
    }
}
