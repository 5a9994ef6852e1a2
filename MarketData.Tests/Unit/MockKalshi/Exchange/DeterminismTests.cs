using System.Buffers;
using System.Diagnostics.Metrics;
using System.IO.Pipelines;
using System.Text;
using System.Threading.Channels;
using MarketData.MockKalshi;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace MarketData.Tests.Unit.MockKalshi.Exchange;

/// <summary>The frames of an exchange follow from its seed and its start, not from when the host lets it run.</summary>
public class DeterminismTests
{
    private const int BytesCompared = 2_000_000;

    private static readonly DateTimeOffset Start = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Two_exchanges_with_the_same_seed_send_the_same_frames_however_the_host_jitters()
    {
        var jitter = new Random(99);

        string steady = await FramesAsync(seed: 42, () => TimeSpan.FromMilliseconds(200));
        string jittery = await FramesAsync(seed: 42, () => TimeSpan.FromMilliseconds(jitter.Next(3) == 0 ? jitter.Next(2_000) : jitter.Next(30)));
        string another = await FramesAsync(seed: 43, () => TimeSpan.FromMilliseconds(200));

        Assert.Contains("\"settled\"", steady, StringComparison.Ordinal);
        Assert.Contains("\"orderbook_delta\"", steady, StringComparison.Ordinal);
        Assert.Contains("\"trade_id\"", steady, StringComparison.Ordinal);
        Assert.Contains("\"ticker\"", steady, StringComparison.Ordinal);
        Assert.True(steady == jittery, $"they differ from {FirstDifference(steady, jittery)} on");
        Assert.NotEqual(steady, another);
    }

    /// <summary>What a client of everything receives first, as bytes of the WebSocket.</summary>
    private static async Task<string> FramesAsync(int seed, Func<TimeSpan> nextAdvance)
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var metrics = new MockKalshiMetrics(services.GetRequiredService<IMeterFactory>());
        var clock = new ManualClock(Start);
        var options = new SimulationOptions { Seed = seed, Markets = 16, Rate = 200, ShortMarketLife = TimeSpan.FromSeconds(5) };
        using var exchange = new SimulatedExchange(Options.Create(options), metrics, clock);
        await exchange.StartAsync(TestContext.Current.CancellationToken);

        var outbound = new OutboundQueue(int.MaxValue);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var sending = outbound.SendAsync(pipe.Writer.AsStream(), TimeSpan.FromMinutes(1));
        using var leave = new CancellationTokenSource();
        var commands = Channel.CreateUnbounded<Command>();
        var session = new Session(new SessionContext(outbound, Faults: null, metrics, new ConnectionOptions(), clock));
        var serving = exchange.ServeAsync(session, commands.Reader, leave.Token);
        var markets = await exchange.ListMarketsAsync(new MarketFilter(), after: null, limit: 100, leave.Token);
        string tickers = string.Join("\",\"", markets.Select(market => market.Definition.Ticker));
        string[] subscribe =
        [
            $$$"""{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta","market_lifecycle_v2"],"market_tickers":["{{{tickers}}}"]}}""",
            """{"id":2,"cmd":"subscribe","params":{"channels":["ticker","trade"]}}""",
        ];
        foreach (string command in subscribe) await commands.Writer.WriteAsync(Command.Parse(Encoding.UTF8.GetBytes(command)), leave.Token);
        await Eventually.TrueAsync(() => commands.Reader.Count == 0, () => "the commands to be taken");
        await exchange.ListMarketsAsync(new MarketFilter(), after: null, limit: 1, leave.Token);

        var received = pipe.Reader.ReadAtLeastAsync(BytesCompared, leave.Token).AsTask();
        await Eventually.TrueAsync(
            () =>
            {
                clock.Advance(nextAdvance());
                return received.IsCompleted;
            },
            () => "enough frames");
        string text = Encoding.UTF8.GetString((await received).Buffer.Slice(0, BytesCompared).ToArray());

        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving);
        outbound.Complete();
        await sending;
        await exchange.StopAsync(CancellationToken.None);
        return text;
    }

    private static string FirstDifference(string one, string other)
    {
        int index = Enumerable.Range(0, Math.Min(one.Length, other.Length)).FirstOrDefault(i => one[i] != other[i]);
        return $"{one.AsSpan(index, Math.Min(300, one.Length - index))} / {other.AsSpan(index, Math.Min(300, other.Length - index))}";
    }
}
