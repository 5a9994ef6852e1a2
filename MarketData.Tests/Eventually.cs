namespace MarketData.Tests;

/// <summary>Waits for a condition that nothing announces.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <exception cref="TimeoutException">It did not come true in time; the message is <paramref name="what"/>.</exception>
    public static async Task TrueAsync(Func<bool> condition, TimeSpan timeout, Func<string> what)
    {
        using var limit = new CancellationTokenSource(timeout);
        while (!condition())
        {
            if (limit.IsCancellationRequested)
                throw new TimeoutException($"Not within {timeout.TotalSeconds} s: {what()}");
            await Task.Delay(Interval, TestContext.Current.CancellationToken);
        }
    }
}
