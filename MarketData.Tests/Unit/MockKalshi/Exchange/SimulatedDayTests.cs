using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi.Exchange;

/// <summary>The program itself, for hours of exchange time.</summary>
public class SimulatedDayTests
{
    private const long SecondsAnHour = 3_600;

    private static readonly int Hours = Environment.GetEnvironmentVariable("MARKETDATA_SOAK") == "1" ? 24 : 3;

    [Fact]
    public async Task Memory_is_flat_after_the_first_hour_and_settled_markets_are_not_open()
    {
        await using var program = await StartAsync("--markets", "80", "--rate", "10", "--clock-speed", "3600", "--Simulation:ShortMarketLife", "00:05:00");
        await using var client = await ExchangeClient.ConnectAsync(new Uri($"ws://127.0.0.1:{program.Port}/trade-api/ws/v2"));
        await client.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"]}}""");

        var settled = new HashSet<string>();
        long begin = await NextSettlementAsync(client, settled), now = begin;
        while (now < begin + SecondsAnHour) now = await NextSettlementAsync(client, settled);
        long afterFirstHour = program.WorkingSet;
        while (now < begin + Hours * SecondsAnHour) now = await NextSettlementAsync(client, settled);

        // What the collector has not given back yet is not growth.
        Assert.InRange(program.WorkingSet, 0, afterFirstHour + afterFirstHour / 4 + 32 * 1024 * 1024);
        var open = (await program.GetAsync("markets?status=open&limit=1000"))["markets"]!.AsArray().Select(market => (string)market!["ticker"]!).ToList();
        Assert.InRange(open.Count, 60, 80);
        Assert.Empty(open.Intersect(settled));
        Assert.True(settled.Count >= Hours * 10 * 10, $"only {settled.Count} markets settled");
    }

    /// <summary>The next settlement's time, Unix seconds.</summary>
    private static async Task<long> NextSettlementAsync(ExchangeClient client, HashSet<string> settled)
    {
        var frame = (await client.ReceiveUntilAsync(frame => frame.Type == "market_lifecycle_v2" && (string?)frame.Message["event_type"] == "settled"))[^1];
        settled.Add(frame.Ticker!);
        return (long)frame.Message["settled_ts"]!;
    }

    private static async Task<ExchangeProgram> StartAsync(params string[] arguments)
    {
        int port = FreePort();
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        string[] all =
        [
            Path.Combine(AppContext.BaseDirectory, "MarketData.MockKalshi.dll"), "--urls", $"http://127.0.0.1:{port}", "--Logging:LogLevel:Default", "Error",
            .. arguments,
        ];
        foreach (string argument in all) start.ArgumentList.Add(argument);
        var program = new ExchangeProgram(Process.Start(start)!, port);
        await Eventually.TrueAsync(program.IsHealthy, () => "the exchange to be healthy");
        return program;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class ExchangeProgram(Process process, int port) : IAsyncDisposable
    {
        private readonly HttpClient _http = new()
        {
            BaseAddress = new Uri($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}/trade-api/v2/"),
            Timeout = TimeSpan.FromSeconds(20),
        };

        public int Port => port;

        /// <summary>Bytes of memory in use by the process.</summary>
        public long WorkingSet
        {
            get
            {
                process.Refresh();
                return process.WorkingSet64;
            }
        }

        public async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await _http.GetStringAsync(path, TestContext.Current.CancellationToken))!;

        public bool IsHealthy()
        {
            Assert.False(process.HasExited, "the exchange has ended");
            try
            {
                return _http.GetAsync("/health").Result.IsSuccessStatusCode;
            }
            catch (AggregateException exception) when (exception.InnerException is HttpRequestException)
            {
                // Nothing listens yet.
                return false;
            }
        }

        public async ValueTask DisposeAsync()
        {
            _http.Dispose();
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
            process.Dispose();
        }
    }
}
