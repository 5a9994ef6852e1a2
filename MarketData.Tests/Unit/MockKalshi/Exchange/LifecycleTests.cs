namespace MarketData.Tests.Unit.MockKalshi.Exchange;

/// <summary>The life of markets, on a clock that runs fast.</summary>
public class LifecycleTests
{
    private static readonly string[] Fast = ["--clock-speed", "300", "--rate", "5", "--Simulation:ShortMarketLife", "00:01:00"];

    private const string SubscribeLifecycle = """{"id":1,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"]}}""";

    [Fact]
    public async Task A_market_is_created_opened_determined_and_settled_and_leaves_the_open_ones()
    {
        await using var exchange = await MockExchange.StartAsync([.. Fast, "--markets", "8"]);
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(SubscribeLifecycle);

        var frames = await client.ReceiveUntilAsync(frame => Event(frame) == "created");
        string ticker = frames[^1].Ticker!;
        Assert.Equal("event_lifecycle", frames[^2].Type);
        Assert.StartsWith((string)frames[^2].Message["event_ticker"]!, ticker, StringComparison.Ordinal);
        frames.AddRange(await client.ReceiveUntilAsync(frame => frame.Ticker == ticker && Event(frame) == "settled"));

        string[] once = ["created", "metadata_updated", "activated", "determined", "settled"];
        var events = frames.Where(frame => frame.Ticker == ticker).Select(frame => Event(frame)!).ToList();
        Assert.Equal(once, events.Where(once.Contains).Distinct());
        var settled = (await exchange.GetAsync($"markets/{ticker}"))["market"]!;
        Assert.Equal("finalized", (string)settled["status"]!);
        Assert.Contains((string)settled["result"]!, new[] { "yes", "no" });
        Assert.DoesNotContain(ticker, await exchange.TickersAsync());
        Assert.Contains(ticker, (await exchange.GetAsync("markets?status=settled&limit=1000"))["markets"]!.AsArray().Select(market => (string)market!["ticker"]!));
    }

    [Fact]
    public async Task A_settled_market_is_forgotten_after_a_while()
    {
        await using var exchange = await MockExchange.StartAsync([.. Fast, "--markets", "8"]);
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(SubscribeLifecycle);
        string ticker = (await client.ReceiveUntilAsync(frame => Event(frame) == "settled"))[^1].Ticker!;

        await Eventually.TrueAsync(
            () => exchange.Exchange.FindMarketAsync(ticker, CancellationToken.None).AsTask().Result is null, () => $"{ticker} to be forgotten");
    }

    [Fact]
    public async Task Everything_that_happens_to_markets_is_told_and_the_number_of_open_ones_stays()
    {
        await using var exchange = await MockExchange.StartAsync([.. Fast, "--markets", "80"]);
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(SubscribeLifecycle);
        string[] kinds =
        [
            "created", "activated", "deactivated", "close_date_updated", "determined", "settled", "price_level_structure_updated", "metadata_updated",
        ];

        var seen = new Dictionary<string, Frame>();
        while (!kinds.All(seen.ContainsKey))
        {
            var frame = await client.ReceiveAsync();
            if (Event(frame) is not { } kind || !seen.TryAdd(kind, frame)) continue;
            var open = (await exchange.GetAsync("markets?status=open&limit=1000"))["markets"]!.AsArray();
            var paused = (await exchange.GetAsync("markets?status=paused&limit=1000"))["markets"]!.AsArray();
            // Between the two requests a market may have been paused or reopened.
            Assert.InRange(open.Count + paused.Count, 78, 82);
        }

        Assert.True((bool)seen["deactivated"].Message["is_deactivated"]!);
        Assert.False((bool)seen["activated"].Message["is_deactivated"]!);
        Assert.True((long)seen["close_date_updated"].Message["close_ts"]! > 0);
        Assert.NotEmpty(seen["price_level_structure_updated"].Message["price_ranges"]!.AsArray());
        Assert.NotNull(seen["metadata_updated"].Message["floor_strike"]);
    }

    private static string? Event(Frame frame) => frame.Type == "market_lifecycle_v2" ? (string?)frame.Message["event_type"] : null;
}
