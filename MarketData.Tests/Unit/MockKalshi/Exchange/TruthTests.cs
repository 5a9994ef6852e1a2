using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using MarketData.Tests.Integration;

namespace MarketData.Tests.Unit.MockKalshi.Exchange;

/// <summary>A client that keeps its own books compares them with the exchange's at many places of the stream.</summary>
public class TruthTests
{
    [Fact]
    public async Task A_clients_book_equals_the_exchanges_at_every_seq_while_the_exchange_runs()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "2000", "--markets", "10", "--seed", "5");
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, tickers[..6]));

        var books = new Dictionary<string, ClientBook>();
        int compared = 0;
        for (int round = 0; round < 60; round++)
        {
            // Acks and further markets take numbers of the same stream.
            if (round == 20) await client.SendAsync(CommandTests.Update(2, "add_markets", tickers[6..]));
            var then = new List<(long Seq, string Ticker, string Book)>();
            foreach (var frame in await client.ReceiveAsync(40))
            {
                Apply(books, frame);
                // Its own book, and one that another frame's number leaves as it was.
                if (frame.Seq is not { } seq || books.Count == 0) continue;
                string other = books.Keys.ElementAt((int)(seq % books.Count));
                then.Add((seq, other, books[other].ToString()));
                if (frame.Type == "orderbook_delta") then.Add((seq, frame.Ticker!, books[frame.Ticker!].ToString()));
            }

            foreach (var (seq, ticker, book) in then.Where((_, index) => index % 16 == round % 16))
            {
                Assert.Equal($"{seq} {ticker} {book}", $"{seq} {ticker} {await TruthAsync(exchange, ticker, seq)}");
                compared++;
            }
        }

        Assert.True(compared > 100, $"only {compared} compared");
    }

    [Fact]
    public async Task An_order_that_sweeps_gives_a_book_for_each_of_its_changes()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "500", "--markets", "2", "--burst", "200", "--seed", "9");
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, tickers));
        var books = new Dictionary<string, ClientBook>();
        var sameTime = new List<(long Seq, string Ticker, string Book)>();
        long lastTime = 0;
        foreach (var frame in await client.ReceiveAsync(600))
        {
            Apply(books, frame);
            if (frame.Type != "orderbook_delta") continue;
            long time = (long)frame.Message["ts_ms"]!;
            if (time == lastTime) sameTime.Add((frame.Seq!.Value, frame.Ticker!, books[frame.Ticker!].ToString()));
            lastTime = time;
        }

        Assert.NotEmpty(sameTime);
        foreach (var (seq, ticker, book) in sameTime.Take(50)) Assert.Equal(book, await TruthAsync(exchange, ticker, seq));
    }

    [Fact]
    public async Task The_newest_subscription_with_the_market_is_asked()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string ticker = (await exchange.TickersAsync())[0];
        await using var first = await exchange.ConnectAsync();
        await CommandTests.SubscribeToBooksAsync(first, ticker);
        await first.AskAsync(CommandTests.Update(2, "get_snapshot", ticker));
        var second = await exchange.ConnectAsync();
        await CommandTests.SubscribeToBooksAsync(second, ticker);

        Assert.Equal((HttpStatusCode.Conflict, "seq_not_reached"), await ErrorAsync(exchange, $"/mock/books/{ticker}?at=2"));
        await second.DisposeAsync();
        await Eventually.TrueAsync(
            () => exchange.Http.GetAsync($"/mock/books/{ticker}?at=2").Result.IsSuccessStatusCode, () => "the second subscription to end");
    }

    [Fact]
    public async Task Without_a_seq_the_book_is_the_present_one_and_what_cannot_be_told_says_why()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string ticker = (await exchange.TickersAsync())[0];

        var truth = await exchange.GetAsync($"/mock/books/{ticker}");

        Assert.Equal((await exchange.GetAsync($"markets/{ticker}/orderbook"))["orderbook_fp"]!.ToJsonString(), truth["orderbook_fp"]!.ToJsonString());
        Assert.Equal((HttpStatusCode.Conflict, "not_subscribed"), await ErrorAsync(exchange, $"/mock/books/{ticker}?at=1"));
        Assert.Equal((HttpStatusCode.NotFound, "not_found"), await ErrorAsync(exchange, "/mock/books/KXNONE"));
        foreach (string at in new[] { "0", "-1", "x", "", "1&at=2", "99999999999999999999" })
            Assert.Equal((HttpStatusCode.BadRequest, "bad_request"), await ErrorAsync(exchange, $"/mock/books/{ticker}?at={at}"));
    }

    [Fact]
    public async Task A_recordings_books_can_be_asked_for_in_the_same_way()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "session.jsonl");
        await File.WriteAllLinesAsync(file, Enumerable.Range(0, 40).Select(RecordedLine), TestContext.Current.CancellationToken);
        await using var exchange = await MockExchange.ReplayAsync(file);
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1", "KXB-2"));

        var books = new Dictionary<string, ClientBook>();
        var then = new List<(long Seq, string Ticker, string Book)>();
        foreach (var frame in await client.ReceiveAsync(41))
        {
            Apply(books, frame);
            foreach (string ticker in books.Keys) then.Add((frame.Seq!.Value, ticker, books[ticker].ToString()));
        }

        foreach (var (seq, ticker, book) in then) Assert.Equal($"{seq} {book}", $"{seq} {await TruthAsync(exchange, ticker, seq)}");
        Assert.Equal((HttpStatusCode.Conflict, "seq_not_reached"), await ErrorAsync(exchange, "/mock/books/KXA-1?at=41"));
    }

    /// <summary>A snapshot of each of two markets, then deltas of both in turn.</summary>
    private static string RecordedLine(int index)
    {
        string ticker = index % 2 == 0 ? "KXA-1" : "KXB-2";
        return index < 2
            ? $$$"""{"type":"orderbook_snapshot","sid":1,"seq":{{{index + 1}}},"msg":{"market_ticker":"{{{ticker}}}","market_id":"","yes_dollars_fp":[["0.4000","10.00"]]}}"""
            : $$$"""{"type":"orderbook_delta","sid":1,"seq":{{{index + 1}}},"msg":{"market_ticker":"{{{ticker}}}","market_id":"","price_dollars":"0.{{{10 + index}}}00","delta_fp":"{{{index}}}.00","side":"{{{(index % 3 == 0 ? "no" : "yes")}}}"}}""";
    }

    private static void Apply(Dictionary<string, ClientBook> books, Frame frame)
    {
        if (frame.Type is not ("orderbook_snapshot" or "orderbook_delta")) return;
        if (!books.TryGetValue(frame.Ticker!, out var book)) books.Add(frame.Ticker!, book = new ClientBook());
        using var document = JsonDocument.Parse(frame.Text);
        book.Apply(frame.Type, document.RootElement.GetProperty("msg"));
    }

    /// <summary>The exchange's book, in the words of <see cref="ClientBook"/>.</summary>
    private static async Task<string> TruthAsync(MockExchange exchange, string ticker, long seq)
    {
        var truth = await exchange.GetAsync($"/mock/books/{ticker}?at={seq}");
        Assert.Equal((ticker, seq), ((string)truth["market_ticker"]!, (long)truth["at"]!));
        var book = new ClientBook();
        Fill(book.Yes, truth["orderbook_fp"]!["yes_dollars"]!);
        Fill(book.No, truth["orderbook_fp"]!["no_dollars"]!);
        return book.ToString();
    }

    private static void Fill(SortedDictionary<decimal, decimal> side, JsonNode levels)
    {
        foreach (var level in levels.AsArray()) side.Add(Number(level![0]!), Number(level[1]!));
    }

    private static decimal Number(JsonNode text) => decimal.Parse((string)text!, CultureInfo.InvariantCulture);

    private static async Task<(HttpStatusCode Status, string Code)> ErrorAsync(MockExchange exchange, string path)
    {
        var answer = await exchange.Http.GetAsync(path, TestContext.Current.CancellationToken);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        return (answer.StatusCode, (string)body["error"]!["code"]!);
    }
}
