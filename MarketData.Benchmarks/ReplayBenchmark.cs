using System.Diagnostics;

namespace MarketData.Benchmarks;

/// <summary>
/// How fast the mock exchange plays recordings, unpaced, to one client that takes every frame on every channel. Both share the machine.
/// </summary>
internal static class ReplayBenchmark
{
    private const int Rounds = 5;

    /// <param name="recordings">Files of one frame a line, <c>.gz</c> too.</param>
    public static async Task<int> RunAsync(string[] recordings)
    {
        await using var exchange = await MockExchange.StartAsync(["--speed", "0", .. MockExchange.Replay(recordings)]);
        var address = new Uri(exchange.Address);
        var tickers = await ExchangeClient.ListMarketsAsync(address);
        for (int round = 1; round <= Rounds; round++) await PlayAsync(address, tickers, round);
        return 0;
    }

    private static async Task PlayAsync(Uri address, IReadOnlyCollection<string> tickers, int round)
    {
        var watch = Stopwatch.StartNew();
        using var client = await ExchangeClient.SubscribeAsync(address, tickers);
        long frames = 0, bytes = 0;
        var last = TimeSpan.Zero;
        while (await client.ReceiveAsync() is { } frame)
        {
            frames++;
            bytes += frame.Length;
            last = watch.Elapsed;
        }

        Console.WriteLine($"round {round}: {frames / last.TotalSeconds,10:N0} frames/s  ({frames:N0} frames, {bytes / 1e6:N1} MB in {last.TotalSeconds:F2} s)");
    }
}
