using System.Globalization;
using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Frames;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>The simulated exchange is one consistent feed, whatever is subscribed when.</summary>
public class SimulationTests
{
    [Fact]
    public async Task A_book_of_snapshot_and_deltas_equals_every_later_snapshot_at_its_place_in_the_stream()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "5000", "--markets", "10", "--seed", "7");
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, tickers[..5]));

        var books = new Dictionary<string, OrderBook>();
        long expectedSeq = 0;
        int compared = 0, deltas = 0;
        for (int round = 0; round < 20; round++)
        {
            // Markets come later, and snapshots are asked for, in the midst of the stream.
            if (round == 5) await client.SendAsync(CommandTests.Update(2, "add_markets", tickers[5..]));
            await client.SendAsync(CommandTests.Update(100 + round, "get_snapshot", tickers[round % (round < 6 ? 5 : tickers.Length)]));
            var frames = await client.ReceiveUntilAsync(frame => frame.Id == 100 + round);
            frames.AddRange(await client.ReceiveAsync(50));
            foreach (var frame in frames)
            {
                if (frame.Seq is { } seq) Assert.Equal(++expectedSeq, seq);
                if (frame.Type == "orderbook_delta") deltas++;
                else if (frame.Type == "orderbook_snapshot" && books.ContainsKey(frame.Ticker!)) compared++;
                Apply(books, frame);
            }
        }

        Assert.Equal(20, compared);
        Assert.Equal(tickers.Length, books.Count);
        Assert.True(deltas > 900, $"only {deltas} deltas");
    }

    [Fact]
    public async Task Books_never_cross_and_prices_keep_to_the_markets_ticks()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "20000", "--markets", "16", "--seed", "3");
        var markets = (await exchange.GetAsync("markets"))["markets"]!.AsArray();
        var ranges = markets.ToDictionary(
            market => (string)market!["ticker"]!,
            market => market!["price_ranges"]!.AsArray().Select(range => (Price(range!["start"]!), Price(range["end"]!), Price(range["step"]!))).ToArray());
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, [.. ranges.Keys]));

        var books = new Dictionary<string, OrderBook>();
        foreach (var frame in await client.ReceiveAsync(20_000))
        {
            Apply(books, frame);
            if (frame.Type != "orderbook_delta") continue;
            var book = books[frame.Ticker!];
            Assert.True(Best(book, Side.Yes) + Best(book, Side.No) < 10_000, $"{frame.Ticker} is crossed after {frame.Text}");
            int price = Price(frame.Message["price_dollars"]!);
            Assert.Contains(ranges[frame.Ticker!], range => price > range.Item1 - 1 && price <= range.Item2 && (price - range.Item1) % range.Item3 == 0);
        }
    }

    [Fact]
    public async Task The_book_over_REST_equals_the_clients_book()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        var books = new Dictionary<string, OrderBook>();
        foreach (var frame in await CommandTests.SubscribeToBooksAsync(client, tickers)) Apply(books, frame);

        foreach (string ticker in tickers)
        {
            var book = (await exchange.GetAsync($"markets/{ticker}/orderbook"))["orderbook_fp"]!;
            Assert.Equal(Levels(books[ticker], Side.Yes), book["yes_dollars"]!.AsArray().Select(level => (Price(level![0]!), Count(level[1]!))));
            Assert.Equal(Levels(books[ticker], Side.No), book["no_dollars"]!.AsArray().Select(level => (Price(level![0]!), Count(level[1]!))));
        }
    }

    [Fact]
    public async Task A_trade_takes_from_the_book_at_its_price_and_time_what_it_trades()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "5000", "--markets", "4", "--seed", "11");
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, tickers).Replace("\"orderbook_delta\"", "\"orderbook_delta\",\"trade\"", StringComparison.Ordinal));
        var frames = await client.ReceiveAsync(3000);

        var changes = frames.Where(frame => frame.Type == "orderbook_delta")
            .ToLookup(frame => (frame.Ticker, (string)frame.Message["side"]!, Price(frame.Message["price_dollars"]!), (long)frame.Message["ts_ms"]!), frame => Count(frame.Message["delta_fp"]!));
        var trades = frames.Where(frame => frame.Type == "trade").ToList();

        Assert.True(trades.Count > 50, $"only {trades.Count} trades");
        Assert.Equal(trades.Count, trades.Select(trade => (string)trade.Message["trade_id"]!).Distinct().Count());
        long seq = 0;
        foreach (var trade in trades)
        {
            Assert.Equal((2, ++seq), (trade.Sid!.Value, trade.Seq!.Value));
            var message = trade.Message;
            int yes = Price(message["yes_price_dollars"]!), no = Price(message["no_price_dollars"]!);
            Assert.Equal(10_000, yes + no);
            bool takerBoughtYes = (string)message["taker_side"]! == "yes";
            Assert.Equal(takerBoughtYes ? "bid" : "ask", (string)message["taker_book_side"]!);
            var resting = (trade.Ticker, takerBoughtYes ? "no" : "yes", takerBoughtYes ? no : yes, (long)message["ts_ms"]!);
            Assert.Contains(-Count(message["count_fp"]!), changes[resting]);
        }
    }

    [Fact]
    public async Task Tickers_follow_the_best_prices_of_the_book()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "200", "--markets", "4");
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["ticker"]}}""");

        var frames = (await client.ReceiveAsync(20)).Where(frame => frame.Type == "ticker").ToList();

        Assert.All(frames, frame => Assert.True(Price(frame.Message["yes_bid_dollars"]!) < Price(frame.Message["yes_ask_dollars"]!), frame.Text));
        Assert.All(frames, frame => Assert.Null(frame.Seq));
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_books_and_another_seed_others()
    {
        var books = new List<string>();
        foreach (string seed in new[] { "42", "42", "43" })
        {
            await using var exchange = await MockExchange.StartStillAsync("--seed", seed);
            await using var client = await exchange.ConnectAsync();
            // Tickers of short-lived markets carry the time at which they close.
            string[] tickers = (await exchange.TickersAsync()).Where(ticker => !ticker.Contains("15M-", StringComparison.Ordinal)).ToArray();
            books.Add(string.Join('\n', (await CommandTests.SubscribeToBooksAsync(client, tickers)).Select(frame => frame.Text)));
        }

        Assert.Equal(books[0], books[1]);
        Assert.NotEqual(books[0], books[2]);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_trades()
    {
        var runs = new List<HashSet<string>>();
        for (int run = 0; run < 2; run++)
        {
            await using var exchange = await MockExchange.StartAsync("--rate", "2000", "--markets", "5", "--seed", "42");
            await using var client = await exchange.ConnectAsync();
            await client.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["trade"]}}""");
            var trades = (await client.ReceiveAsync(1000)).Where(frame => frame.Type == "trade").Select(frame => (string)frame.Message["trade_id"]!);
            runs.Add(trades.ToHashSet());
        }

        // The two clients came at different points of one sequence; ids of trades are drawn from the seed too.
        Assert.NotEmpty(runs[0].Intersect(runs[1]));
    }

    [Fact]
    public async Task A_short_lived_market_closes_with_an_empty_snapshot_settles_and_is_followed_by_another()
    {
        await using var exchange = await MockExchange.StartStillAsync("--Simulation:ShortMarketLife", "00:00:01");
        string closing = (await exchange.TickersAsync()).Single(ticker => ticker.Contains("15M-", StringComparison.Ordinal));
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, closing).Replace("\"orderbook_delta\"", "\"orderbook_delta\",\"market_lifecycle_v2\"", StringComparison.Ordinal));

        var frames = await client.ReceiveUntilAsync(frame => frame.Ticker == closing && (string?)frame.Message["event_type"] == "settled");

        var snapshots = frames.Where(frame => frame.Type == "orderbook_snapshot").ToList();
        Assert.True(snapshots.Count is 2 or 3);
        Assert.All(snapshots.Skip(1), snapshot => Assert.Null(snapshot.Message["yes_dollars_fp"] ?? snapshot.Message["no_dollars_fp"]));
        var ours = frames.Where(frame => frame.Ticker == closing && frame.Type == "market_lifecycle_v2").Select(frame => (string)frame.Message["event_type"]!);
        Assert.Equal(["determined", "settled"], ours);
        var created = frames.First(frame => (string?)frame.Message["event_type"] == "created");
        Assert.NotEqual(closing, created.Ticker);
        Assert.StartsWith(closing.Split('-')[0], created.Ticker, StringComparison.Ordinal);
        Assert.Equal("finalized", (string)(await exchange.GetAsync($"markets/{closing}"))["market"]!["status"]!);
        var lifecycle = frames.Where(frame => frame.Sid == 2).Select(frame => frame.Seq!.Value).ToList();
        Assert.Equal(Enumerable.Range(1, lifecycle.Count).Select(number => (long)number), lifecycle);
    }

    /// <summary>Applies a book frame; a snapshot of a known market must agree with the book so far, unless it is the empty one of a close.</summary>
    private static void Apply(Dictionary<string, OrderBook> books, Frame frame)
    {
        if (frame.Type is not ("orderbook_snapshot" or "orderbook_delta")) return;
        byte[] bytes = Encoding.UTF8.GetBytes(frame.Text);
        Assert.True(ExchangeFrame.TryParse(bytes, out var parsed, out string? error), error);
        if (frame.Type == "orderbook_delta")
        {
            var delta = parsed.Delta!.Value;
            Assert.True(books[frame.Ticker!].TryApply(delta.Side, delta.Price, delta.Change), $"below zero: {frame.Text}");
            return;
        }

        var snapshot = new OrderBook();
        Assert.True(SnapshotReader.TryRead(bytes, parsed.Levels, snapshot));
        if (books.TryGetValue(frame.Ticker!, out var known)) Assert.True(known.ContentEquals(snapshot), $"the book differs from {frame.Text}");
        books[frame.Ticker!] = snapshot;
    }

    private static IEnumerable<(int, long)> Levels(OrderBook book, Side side) => book.Levels(side).ToArray().Select(level => (level.Price, level.Count));

    private static int Best(OrderBook book, Side side) => book.Levels(side) is [.., var best] ? best.Price : 0;

    private static int Price(System.Text.Json.Nodes.JsonNode text) => (int)(decimal.Parse((string)text!, CultureInfo.InvariantCulture) * 10_000);

    private static long Count(System.Text.Json.Nodes.JsonNode text) => (long)(decimal.Parse((string)text!, CultureInfo.InvariantCulture) * 100);
}
