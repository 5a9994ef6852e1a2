using System.Globalization;
using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange;
using MarketData.ServiceDefaults.Redis;
using MarketData.Tests.Integration.LocalKafka;
using MarketData.Tests.Unit.MockKalshi;

namespace MarketData.Tests.Reliability;

/// <summary>
/// Mock exchange, ingest process with its relay, broker and Redis, with three observers of the books: one of the log, one of the
/// snapshot keys, one that subscribes as a client does. What they hold is compared with the exchange's own books.
/// </summary>
public sealed class ReliabilityTopology : IAsyncLifetime
{
    private readonly List<IngestProcess> _ingests = [];
    private string[] _exchangeArguments = ["--Simulation:ShortMarketLife", "00:00:40"];
    private RespConnection? _keys;

    internal MockExchange Exchange { get; private set; } = null!;

    internal BrokerProcess Kafka { get; private set; } = null!;

    internal RedisServer Redis { get; private set; } = null!;

    internal LogObserver Log { get; private set; } = null!;

    internal SubscribingClient Client { get; private set; } = null!;

    /// <summary>The ingest process that was started last.</summary>
    internal IngestProcess Ingest => _ingests[^1];

    /// <summary>One for a single test, which disposes it. Its markets stay open unless the arguments say otherwise.</summary>
    internal static async Task<ReliabilityTopology> StartAsync(params string[] exchangeArguments)
    {
        var topology = new ReliabilityTopology();
        topology._exchangeArguments = exchangeArguments;
        try
        {
            await topology.InitializeAsync();
            return topology;
        }
        catch
        {
            await topology.DisposeAsync();
            throw;
        }
    }

    /// <summary>Everything but ingest.</summary>
    public async ValueTask InitializeAsync()
    {
        Exchange = await MockExchange.StartAsync(["--rate", "0", "--markets", "16", "--Connection:PingInterval", "00:00:01", "--Simulation:ShortMarketLife", "1.00:00:00", .. _exchangeArguments]);
        Kafka = await BrokerProcess.StartAsync("--topic", string.Create(CultureInfo.InvariantCulture, $"{KafkaNames.Topic}:{LogObserver.Partitions}"));
        Redis = await RedisServer.StartAsync(isDurable: true);
        Log = new LogObserver(Kafka.Bootstrap);
        Client = new SubscribingClient(Redis.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var ingest in _ingests) await ingest.DisposeAsync();
        if (_keys != null) await _keys.DisposeAsync();
        if (Client != null) await Client.DisposeAsync();
        Log?.Dispose();
        if (Redis != null) await Redis.DisposeAsync();
        if (Kafka != null) await Kafka.DisposeAsync();
        if (Exchange != null) await Exchange.DisposeAsync();
    }

    /// <summary>Starts an ingest process beside those that run; it is not waited for.</summary>
    internal async Task<IngestProcess> StartIngestAsync(params (string Key, string Value)[] more)
    {
        var ingest = await IngestProcess.StartAsync(
        [
            ("ConnectionStrings:kafka", Kafka.Bootstrap), ("ConnectionStrings:redis", Redis.ConnectionString),
            ("services:mock-kalshi:http:0", Exchange.Address.AbsoluteUri.TrimEnd('/')),
            // Several commands for the markets, and new ones found soon.
            ("Upstream:BatchSize", "6"), ("Upstream:BatchPauseMs", "5"), ("Upstream:RefreshSeconds", "2"),
            ("Upstream:LivenessSeconds", "8"), ("Upstream:AnswerSeconds", "5"), ("Upstream:MaxFrameBytes", "2000000"),
            ("Leadership:LeaseMs", "2000"), ("Leadership:HeartbeatMs", "200"),
            ("Relay:CommitIntervalMs", "200"), ("Relay:SnapshotIntervalMs", "50"), .. more,
        ]);
        _ingests.Add(ingest);
        return ingest;
    }

    /// <summary>Has an ingest process running whose feed is sound and whose waits before a new connection are short.</summary>
    internal async Task RunIngestAsync(params (string Key, string Value)[] more)
    {
        if (_ingests.Count > 0)
        {
            // Each further connection within a minute waits longer.
            if ((await CountersAsync()).Reconnects == 0) return;
            await StopIngestAsync(Ingest);
        }

        await StartIngestAsync(more);
        await SoundAsync();
    }

    /// <summary>Bids for contracts at a price that nobody sells at: one change of one book.</summary>
    internal async Task BidAsync(string ticker, int contracts = 1)
    {
        var order = new OrderRequest(ticker, OrderAction.Buy, Side.Yes, FixedPoint.PriceScale / 100, contracts * FixedPoint.CountScale);
        var outcome = await Exchange.Exchange.PlaceOrderAsync("default", order, TestContext.Current.CancellationToken);
        Assert.Equal(OrderStatus.Resting, outcome.Order?.Status);
    }

    /// <summary>Adds faults, separated by semicolons, and waits until each has struck. Something must go on meanwhile.</summary>
    internal async Task StrikeAsync(string faults)
    {
        foreach (string fault in faults.Split(';')) await Exchange.AddFaultAsync(fault);
        string state = "";
        await Eventually.TrueAsync(
            async () =>
            {
                var struck = await Exchange.FaultsAsync();
                state = struck.ToJsonString();
                return struck.Where(fault => (string?)fault!["state"] != "removed").All(fault => (int)fault!["fired"]! > 0);
            },
            () => $"every fault has struck: {state}\n{Ingest.Output}");
    }

    internal async Task StopIngestAsync(IngestProcess ingest)
    {
        await ingest.StopAsync();
        await ForgetIngestAsync(ingest);
    }

    internal async Task KillIngestAsync(IngestProcess ingest)
    {
        await ingest.KillAsync();
        await ForgetIngestAsync(ingest);
    }

    /// <summary>
    /// What must hold whatever happened: all books are the exchange's, every trade is in the log once, no stream has a hole, and the
    /// service says that it is well.
    /// </summary>
    /// <param name="lastTrade">The exchange's latest trade before it happened.</param>
    internal async Task EverythingIsRightAsync(string? lastTrade)
    {
        await BooksEqualTruthAsync();
        await TradesAreThereAsync(lastTrade);
        await SoundAsync();
        Assert.Empty(Log.TakeFaults());
        Assert.Empty(Client.TakeHoles());
    }

    internal async Task SoundAsync()
    {
        // One that stands by is well without a feed.
        await Ingest.LeadsAsync("active");
        await Ingest.BecomesAsync("exchange", "Healthy");
        await Ingest.BecomesAsync("relay", "Healthy");
    }

    /// <summary>What the running ingest process has counted, and what the log has.</summary>
    internal async Task<Counters> CountersAsync()
    {
        Log.Drain();
        var upstream = (await Ingest.StatsAsync()).GetProperty("upstream");
        return new Counters(Log.StaleMarkers, upstream.GetProperty("reconnects").GetInt32(), upstream.GetProperty("gaps").GetInt32());
    }

    /// <summary>
    /// Waits until the log, the keys and the client have the exchange's book of every open market, and none of a market that is not open
    /// unless as stale.
    /// </summary>
    internal Task BooksEqualTruthAsync()
    {
        List<string> differences = [];
        return Eventually.TrueAsync(
            async () => (differences = await DifferencesAsync(TruthAsync)).Count == 0,
            TimeSpan.FromMinutes(2),
            () => $"every book is the exchange's:\n{string.Join('\n', differences.Take(12))}\n{Ingest.Output}");
    }

    /// <summary>Waits until the keys and the client have the log's book of every open market, whatever the exchange's own is.</summary>
    internal Task BooksAgreeAsync()
    {
        List<string> differences = [];
        return Eventually.TrueAsync(
            async () => (differences = await DifferencesAsync(ticker => Task.FromResult(BookText.Of(Log.BookOf(ticker))))).Count == 0,
            () => $"every copy of a book is the same:\n{string.Join('\n', differences.Take(12))}\n{Ingest.Output}");
    }

    /// <summary>The exchange's latest trade: where <see cref="TradesAreThereAsync"/> begins.</summary>
    internal async Task<string?> LastTradeAsync() => (await Exchange.GetAsync("markets/trades?limit=1"))["trades"]!.AsArray() is [{ } last, ..] ? (string)last["trade_id"]! : null;

    /// <summary>Waits until all trades after one are in the log; that none is there twice is the log's observer's to say.</summary>
    internal async Task TradesAreThereAsync(string? after)
    {
        var made = await TradesAsync(after);
        Assert.NotEmpty(made);
        await Eventually.TrueAsync(
            () =>
            {
                Log.Drain();
                return made.TrueForAll(Log.HasTrade);
            },
            () => $"{made.Count(trade => !Log.HasTrade(trade))} of {made.Count} trades are in the log: {made.Find(trade => !Log.HasTrade(trade))}");
    }

    private async Task ForgetIngestAsync(IngestProcess ingest)
    {
        await ingest.DisposeAsync();
        _ingests.Remove(ingest);
    }

    /// <summary>The exchange's own book as text.</summary>
    internal async Task<string> TruthAsync(string ticker) =>
        BookText.Of((await Exchange.Exchange.ReadTruthAsync(ticker, atSeq: null, TestContext.Current.CancellationToken)).Book!);

    private async Task<List<string>> DifferencesAsync(Func<string, Task<string>> truth)
    {
        var differences = new List<string>();
        string[] open = await Exchange.TickersAsync();
        Log.Drain();
        foreach (string ticker in open)
        {
            string expected = await truth(ticker);
            (string Where, string Book)[] copies = [("log", BookText.Of(Log.BookOf(ticker))), ("key", await KeyAsync(ticker)), ("client", Client.BookOf(ticker))];
            differences.AddRange(copies.Where(copy => copy.Book != expected).Select(copy => $"{ticker} {copy.Where}: {copy.Book}\n instead of {expected}"));
        }

        differences.AddRange(Log.Books
            .Where(book => !open.Contains(book.Key) && !book.Value.IsStale && !book.Value.Book.IsEmpty)
            .Select(book => $"{book.Key} is not open and has a book: {BookText.Of(book.Value)}"));
        return differences;
    }

    /// <summary>The book in the snapshot key as text.</summary>
    internal async Task<string> KeyAsync(string ticker)
    {
        try
        {
            _keys ??= await Redis.ConnectAsync();
            _keys.Write("GET"u8, Encoding.UTF8.GetBytes(RedisNames.SnapshotKey(ticker)));
            await _keys.FlushAsync(TestContext.Current.CancellationToken);
            var reply = await _keys.ReadAsync(TestContext.Current.CancellationToken);
            if (reply.Kind != RespKind.Bulk) return "no key";
            byte[] value = reply.Data.ToArray();
            var book = new SequencedBook();
            Assert.True(Envelope.TryParse(value, out var envelope, out var error), error);
            book.Apply(value, envelope);
            return BookText.Of(book);
        }
        catch (IOException exception)
        {
            // Redis was restarted.
            await _keys!.DisposeAsync();
            _keys = null;
            return exception.Message;
        }
    }

    private async Task<List<string>> TradesAsync(string? after)
    {
        var trades = new List<string>();
        string cursor = "";
        do
        {
            var page = await Exchange.GetAsync($"markets/trades?limit=1000&cursor={cursor}");
            foreach (var trade in page["trades"]!.AsArray())
            {
                string id = (string)trade!["trade_id"]!;
                if (id == after) return trades;
                trades.Add(id);
            }

            cursor = (string?)page["cursor"] ?? "";
        }
        while (cursor.Length > 0);
        return trades;
    }

    /// <param name="StaleMarkers">Books published as stale.</param>
    /// <param name="Reconnects">Connections after the first.</param>
    /// <param name="Gaps">Losses on a running connection.</param>
    internal sealed record Counters(int StaleMarkers, int Reconnects, int Gaps);
}
