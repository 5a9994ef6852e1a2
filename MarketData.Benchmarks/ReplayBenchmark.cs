using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace MarketData.Benchmarks;

/// <summary>
/// How fast the mock exchange plays recordings, unpaced, to one client that takes every frame on every channel. Both share the machine.
/// </summary>
internal static class ReplayBenchmark
{
    private const int Rounds = 5;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5), Timeout = TimeSpan.FromSeconds(60);

    /// <param name="recordings">Files of one frame a line, <c>.gz</c> too.</param>
    public static async Task<int> RunAsync(string[] recordings)
    {
        await using var exchange = await ServiceProcess.StartAsync(
            "MarketData.MockKalshi.dll",
            "Now listening on: ",
            ["--urls", "http://127.0.0.1:0", "--speed", "0", .. recordings.SelectMany(file => (string[])["--replay", Path.GetFullPath(file)])]);
        var address = new Uri(exchange.Address);
        string tickers = await TickersAsync(address);
        for (int round = 1; round <= Rounds; round++) await PlayAsync(address, tickers, round);
        return 0;
    }

    /// <summary>Every market, as the elements of a JSON array.</summary>
    private static async Task<string> TickersAsync(Uri address)
    {
        using var http = new HttpClient { BaseAddress = address, Timeout = Timeout };
        var tickers = new List<string>();
        string cursor = "";
        do
        {
            using var page = JsonDocument.Parse(await http.GetStringAsync($"/trade-api/v2/markets?limit=1000&cursor={Uri.EscapeDataString(cursor)}"));
            tickers.AddRange(page.RootElement.GetProperty("markets").EnumerateArray().Select(market => market.GetProperty("ticker").GetRawText()));
            cursor = page.RootElement.GetProperty("cursor").GetString()!;
        }
        while (cursor.Length > 0);
        return string.Join(',', tickers);
    }

    private static async Task PlayAsync(Uri address, string tickers, int round)
    {
        using var socket = new ClientWebSocket();
        using var ended = new CancellationTokenSource(Timeout);
        await socket.ConnectAsync(new Uri($"ws://{address.Authority}/trade-api/ws/v2"), ended.Token);
        string command = $$$"""
            {"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta","ticker","trade","market_lifecycle_v2"],"market_tickers":[{{{tickers}}}]}}
            """;
        var watch = Stopwatch.StartNew();
        await socket.SendAsync(Encoding.UTF8.GetBytes(command), WebSocketMessageType.Text, endOfMessage: true, ended.Token);

        byte[] buffer = new byte[1 << 20];
        long frames = 0, bytes = 0;
        var last = TimeSpan.Zero;
        try
        {
            while (true)
            {
                // Setting the alarm for each frame would be part of what is measured.
                if (frames % 1000 == 0) ended.CancelAfter(Silence);
                var received = await socket.ReceiveAsync(buffer.AsMemory(), ended.Token);
                bytes += received.Count;
                if (!received.EndOfMessage) continue;
                frames++;
                last = watch.Elapsed;
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The connection stays open after the last frame: silence is the end.
        }

        Console.WriteLine($"round {round}: {frames / last.TotalSeconds,10:N0} frames/s  ({frames:N0} frames, {bytes / 1e6:N1} MB in {last.TotalSeconds:F2} s)");
    }
}
