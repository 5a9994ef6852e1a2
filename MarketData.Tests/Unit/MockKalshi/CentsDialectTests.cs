using System.Text.Json;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>The form of the cents era (protocol reference, section 2.1), read by the parser that the rest of the system uses.</summary>
public class CentsDialectTests
{
    [Fact]
    public async Task A_book_built_from_cents_frames_equals_the_exchanges_at_any_point()
    {
        await using var exchange = await StartAsync("--rate", "3000");
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, tickers));
        var books = new ReadBooks();
        int deltas = 0;
        long seq = 0;

        for (int round = 0; round < 10; round++)
        {
            await client.SendAsync(CommandTests.Update(2, "get_snapshot", tickers));
            foreach (var frame in await client.ReceiveAsync(200))
            {
                if (frame.Type == "subscribed") continue;
                Assert.Equal((1, ++seq), (frame.Sid!.Value, frame.Seq!.Value));
                if (frame.Id is null || !books.Knows(frame.Ticker!)) books.Apply(frame);
                else books.AssertEqual(frame);
                deltas += frame.Type == "orderbook_delta" ? 1 : 0;
            }
        }

        Assert.True(deltas > 500, $"only {deltas} changes");
    }

    [Fact]
    public async Task The_book_over_REST_has_the_same_levels()
    {
        await using var exchange = await StartAsync("--rate", "0", "--markets", "30");
        await using var client = await exchange.ConnectAsync();
        foreach (var frame in (await CommandTests.SubscribeToBooksAsync(client, await exchange.TickersAsync())).Skip(1))
        {
            var book = (await exchange.GetAsync($"markets/{frame.Ticker}/orderbook"))["orderbook_fp"]!;
            foreach (string side in new[] { "yes", "no" })
            {
                var levels = book[$"{side}_dollars"]!.AsArray();
                Assert.Equal(levels.Select(level => $"{level![0]}/{level[1]}"), frame.Message[side]!.AsArray().Select(level => $"0.{(int)level![0]!:00}00/{(long)level[1]!}.00"));
                Assert.Equal(levels.Select(level => $"{level![0]}/{level[1]}"), frame.Message[$"{side}_dollars"]!.AsArray().Select(level => $"{(string)level![0]!}/{(long)level[1]!}.00"));
            }
        }
    }

    [Fact]
    public async Task A_market_without_levels_has_no_level_keys()
    {
        await using var exchange = await StartAsync("--rate", "0");
        await using var client = await exchange.ConnectAsync();

        var frames = await CommandTests.SubscribeToBooksAsync(client, "KXNOSUCH-26NOV22-T1");

        Assert.Equal("""{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{"market_ticker":"KXNOSUCH-26NOV22-T1","market_id":""}}""", frames[1].Text);
    }

    [Fact]
    public async Task Frames_have_the_fields_of_their_time_and_no_later_ones()
    {
        await using var exchange = await StartAsync("--rate", "2000", "--Simulation:ShortMarketLife", "00:00:01", "--markets", "8");
        await using var client = await exchange.ConnectAsync();
        string tickers = string.Join(',', (await exchange.TickersAsync()).Select(ticker => $"\"{ticker}\""));
        await client.SendAsync($$$"""{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta","ticker","trade"],"market_tickers":[{{{tickers}}}],"send_initial_snapshot":true}}""");
        await client.SendAsync("""{"id":2,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"]}}""");
        var frames = await client.ReceiveUntilAsync(frame => frame.Type == "market_lifecycle_v2" && (string)frame.Message["event_type"]! == "settled");

        Fields(frames, "orderbook_snapshot", "market_ticker market_id yes yes_dollars no no_dollars");
        Fields(frames, "orderbook_delta", "market_ticker market_id price price_dollars delta side ts");
        Fields(frames, "trade", "trade_id market_ticker yes_price yes_price_dollars no_price no_price_dollars count taker_side ts");
        Fields(
            frames, "ticker",
            "market_ticker market_id price price_dollars yes_bid yes_bid_dollars yes_ask yes_ask_dollars volume open_interest dollar_volume dollar_open_interest ts Clock");
        Fields(frames.Where(frame => EventType(frame) == "created"), "market_lifecycle_v2", "market_ticker event_type open_ts close_ts additional_metadata");
        Fields(frames.Where(frame => EventType(frame) == "determined"), "market_lifecycle_v2", "market_ticker event_type determination_ts result");
        foreach (var frame in frames.Where(frame => frame.Type is "orderbook_delta" or "ticker" or "trade"))
        {
            foreach (var (key, twin) in new[] { ("price", "price_dollars"), ("yes_bid", "yes_bid_dollars"), ("yes_ask", "yes_ask_dollars"), ("yes_price", "yes_price_dollars"), ("no_price", "no_price_dollars") })
            {
                if (frame.Message[key] is { } cents) Assert.Equal((string)frame.Message[twin]!, $"{(int)cents / 100}.{(int)cents % 100:00}00");
            }

            foreach (string key in new[] { "delta", "count", "volume", "open_interest" })
                Assert.True(frame.Message[key] is not { } count || (count.GetValueKind() == JsonValueKind.Number && count.GetValue<long>() == count.GetValue<decimal>()));
        }
    }

    [Fact]
    public async Task A_recording_of_the_cents_era_is_played_as_it_is()
    {
        const string recorded = """{"type":"orderbook_delta","sid":4,"seq":9,"msg":{"market_ticker":"A-1","price":47,"price_dollars":"0.47","delta":-5,"side":"no"}}""";
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "cents.jsonl");
        await File.WriteAllTextAsync(file, recorded + "\n", TestContext.Current.CancellationToken);
        await using var exchange = await MockExchange.ReplayAsync(file, 0, "--dialect", "cents");
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync(CommandTests.Subscribe(1, "A-1"));
        var frames = await client.ReceiveAsync(3);

        Assert.Equal(recorded.Replace("\"sid\":4,\"seq\":9", "\"sid\":1,\"seq\":2", StringComparison.Ordinal), frames[2].Text);
    }

    private static Task<MockExchange> StartAsync(params string[] arguments) => MockExchange.StartAsync(["--dialect", "cents", "--markets", "6", .. arguments]);

    private static string? EventType(Frame frame) => frame.Type == "market_lifecycle_v2" ? (string?)frame.Message["event_type"] : null;

    private static void Fields(IEnumerable<Frame> frames, string type, string fields)
    {
        // The longest: a side without levels has no keys.
        var message = frames.Where(frame => frame.Type == type).Select(frame => frame.Message.AsObject()).MaxBy(message => message.Count);
        Assert.NotNull(message);
        Assert.Equal(fields.Split(' ').Order(StringComparer.Ordinal), message.Select(field => field.Key).Order(StringComparer.Ordinal));
    }
}
