using System.Buffers.Text;
using MarketData.ServiceDefaults.Redis;

namespace MarketData.Benchmarks;

/// <summary>
/// From the exchange to Redis' publication, at a steady rate and with both halves of ingest in one process as by default. Counted from
/// the time at which a frame was due at the mock exchange (its <c>ts_ms</c>, cut to milliseconds, so every figure is half a millisecond too
/// high on average). The exchange's clock stands as much behind as the quickest frame to a client of its own shows; that client's figures
/// also tell how much of the way the exchange itself takes.
/// </summary>
internal static class LatencyBenchmark
{
    // The simulation makes some more frames than changes: tickers and trades.
    private const int Markets = 1000, Rate = 3600;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(15), Time = TimeSpan.FromSeconds(30), Timeout = TimeSpan.FromMinutes(2);

    public static async Task<int> RunAsync()
    {
        await using var broker = await LocalBroker.StartAsync();
        await using var redis = await LocalRedis.StartAsync();
        await using var exchange = await MockExchange.StartAsync("--markets", $"{Markets}", "--rate", $"{Rate}");
        await using var ingest = await IngestProcess.StartBothAsync(broker, redis, exchange.Address);
        await ingest.WaitAsync(stats => stats.Upstream!.BooksSubscribed >= Markets && stats.Relayed > 0, Timeout, "a subscription to all markets");

        using var ending = new CancellationTokenSource(WarmUp + Time);
        var (atClient, atRedis) = (new Delays(), new Delays());
        await using var subscriber = await SubscribeAsync(redis);
        await Task.WhenAll(
            WatchExchangeAsync(new Uri(exchange.Address), atClient, ending.Token), WatchRedisAsync(subscriber, atRedis, ending.Token));
        var clock = atClient.Shortest;
        Console.WriteLine($"{Markets:N0} markets, {Time.TotalSeconds:N0} s after {WarmUp.TotalSeconds:N0} s to warm up; ms since the frame was due at the exchange, whose clock is {clock.TotalMilliseconds:F1} ms behind");
        atClient.Report("client of the exchange", clock);
        atRedis.Report("subscriber of Redis", clock);
        return 0;
    }

    private static async Task WatchExchangeAsync(Uri exchange, Delays delays, CancellationToken ending)
    {
        using var client = await ExchangeClient.SubscribeAsync(exchange, await ExchangeClient.ListMarketsAsync(exchange));
        while (!ending.IsCancellationRequested && await client.ReceiveAsync() is { } frame) delays.Record(frame.Span);
    }

    private static async Task<RespConnection> SubscribeAsync(LocalRedis redis)
    {
        var subscriber = await redis.ConnectAsync();
        subscriber.Write("SUBSCRIBE"u8, "market-data:all"u8);
        await subscriber.FlushAsync(CancellationToken.None);
        return subscriber;
    }

    private static async Task WatchRedisAsync(RespConnection subscriber, Delays delays, CancellationToken ending)
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                // message, channel, envelope
                var message = await subscriber.ReadAsync(ending);
                if (message.Items.Span is [_, _, { Kind: RespKind.Bulk } envelope]) delays.Record(envelope.Data.Span);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Delays of one watcher, without those of its warm-up.</summary>
    private sealed class Delays
    {
        private readonly List<TimeSpan> _delays = [];
        private readonly DateTime _since = DateTime.UtcNow + WarmUp;

        public TimeSpan Shortest => _delays.Min();

        public void Record(ReadOnlySpan<byte> bytes)
        {
            var now = DateTime.UtcNow;
            // Snapshots have no time of their own.
            int at = bytes.LastIndexOf("\"ts_ms\":"u8);
            if (now < _since || at < 0 || !Utf8Parser.TryParse(bytes[(at + 8)..], out long sentMs, out _)) return;
            _delays.Add(now - DateTime.UnixEpoch.AddMilliseconds(sentMs));
        }

        public void Report(string where, TimeSpan clock)
        {
            var sorted = _delays.Select(delay => (delay - clock).TotalMilliseconds).Order().ToList();
            Console.WriteLine($"{where,-24} p50 {At(0.5),7:F2}   p99 {At(0.99),7:F2}   p99.9 {At(0.999),7:F2}   max {sorted[^1],7:F2}   ({sorted.Count / Time.TotalSeconds:N0} frames/s)");

            double At(double quantile) => sorted[(int)(quantile * (sorted.Count - 1))];
        }
    }
}
