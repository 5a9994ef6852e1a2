using System.Diagnostics;

namespace MarketData.Tests.Integration.LocalKafka;

/// <summary>Waits for what is to become true.</summary>
internal static class Wait
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30), Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Looks again and again.</summary>
    /// <exception cref="TimeoutException">It did not become true; the message is <paramref name="otherwise"/>.</exception>
    public static async Task UntilAsync(Func<bool> condition, Func<string> otherwise)
    {
        for (var watch = Stopwatch.StartNew(); !condition();)
        {
            if (watch.Elapsed > Patience) throw new TimeoutException($"After {Patience}: {otherwise()}");
            await Task.Delay(Interval, TestContext.Current.CancellationToken);
        }
    }
}
