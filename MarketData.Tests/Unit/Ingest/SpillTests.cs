using System.Text.Json;
using MarketData.Tests.Integration.LocalKafka;
using MarketData.Tests.Unit.ServiceDefaults;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>A Kafka that is away for longer than its queue lasts costs changes of books, of which everybody is told, and never a trade.</summary>
public sealed class SpillTests : IAsyncLifetime
{
    private const int QueueMessages = 1000, NearlyFull = 750;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(1);
    private BrokerProcess _kafka = null!;
    private ScriptedExchange _exchange = null!;

    public async ValueTask InitializeAsync()
    {
        _kafka = await BrokerProcess.StartAsync();
        _exchange = await ScriptedExchange.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _exchange.DisposeAsync();
        await _kafka.DisposeAsync();
    }

    [Fact]
    public async Task Books_and_tickers_are_left_out_while_the_queue_is_nearly_full_and_come_anew_when_Kafka_is_back()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(
            _exchange.Url, _kafka.Bootstrap, ("Kafka:QueueMessages", $"{QueueMessages}"), ("Upstream:LivenessSeconds", "600"), ("Upstream:FillTrades", "false"));
        var session = await _exchange.AcceptSubscribedAsync();
        using var log = new LogReader(_kafka.Bootstrap);
        await log.ReadUntilAsync(records => records.Count == 2, "the snapshots are in the log");
        await _kafka.KillAsync();

        const int Deltas = NearlyFull + 50, Tickers = 5, Trades = 100;
        for (int i = 0; i < Deltas; i++) await session.DeltaAsync("MKT-A");
        for (int i = 0; i < Tickers; i++) await session.SendAsync($$$"""{"type":"ticker","sid":{{{ExchangeSession.TickerSid}}},"msg":{"market_ticker":"MKT-B","number":{{{i}}}}}""");
        for (int i = 0; i < Trades; i++) await session.TradeAsync("MKT-A", $"trade-{i}");
        var report = await ingest.WaitForAsync("publishing", "Degraded");
        Assert.Contains("order books and tickers are left out", report.Reason("publishing"), StringComparison.Ordinal);
        // A frame that goes on is counted before it is queued, so the queue tells that all were taken.
        await Eventually.TrueAsync(
            async () => (await UpstreamAsync(ingest)).GetProperty("queuedForKafka").GetInt64() == NearlyFull + Trades, Timeout, () => "all frames are read");
        var upstream = await UpstreamAsync(ingest);
        Assert.Equal(50 + Tickers, upstream.GetProperty("dropped").GetProperty("spilled").GetInt64());

        await _kafka.StartAgainAsync();
        Assert.Equal(["MKT-A"], await session.ServeSnapshotsAsync(contracts: 10 + Deltas));
        await log.ReadUntilAsync(records => records.Count == 2 + NearlyFull + Trades + 3, "everything that was kept, and what came anew, is in the log");

        var books = log.Records.Where(record => record.Key == "MKT-A" && record.Payload.Contains("orderbook", StringComparison.Ordinal)).ToList();
        Assert.Equal(Enumerable.Range(1, NearlyFull + 3).Select(number => (long)number), books.Select(book => book.Envelope.StreamSequence));
        Assert.All(books.SkipLast(2), book => Assert.False(book.IsStale));
        Assert.True(books[^2].IsStale);
        Assert.False(books[^1].IsStale);
        Assert.Contains($"{10 + Deltas}.00", books[^1].Payload, StringComparison.Ordinal);
        Assert.Equal(
            Enumerable.Range(0, Trades).Select(number => $"trade-{number}"),
            log.Records.Where(record => record.Payload.Contains("trade_id", StringComparison.Ordinal)).Select(record => TradeId(record)));
        // Only the newest ticker counts.
        Assert.Contains($"\"number\":{Tickers - 1}", log.Records.Single(record => record.Payload.Contains("\"ticker\"", StringComparison.Ordinal)).Payload, StringComparison.Ordinal);
        await ingest.WaitForAsync("publishing", "Healthy");
    }

    [Fact]
    public async Task A_connection_that_ends_while_books_are_left_out_marks_them_all_the_same()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap, ("Kafka:QueueMessages", $"{QueueMessages}"));
        var session = await _exchange.AcceptSubscribedAsync();
        using var log = new LogReader(_kafka.Bootstrap);
        await log.ReadUntilAsync(records => records.Count == 2, "the snapshots are in the log");
        await _kafka.KillAsync();
        for (int i = 0; i < NearlyFull + 50; i++) await session.DeltaAsync("MKT-A");
        await ingest.WaitForAsync("publishing", "Degraded");
        session.Cut();

        await _kafka.StartAgainAsync();
        await log.ReadUntilAsync(
            records => records.Where(record => record.IsStale).Select(record => record.Key).ToHashSet().SetEquals(["MKT-A", "MKT-B"]), "both books are marked");
    }

    private static async Task<JsonElement> UpstreamAsync(ServiceHost ingest) => (await ingest.GetAsync("/stats")).Json.GetProperty("upstream");

    private static string TradeId(LogRecord record) =>
        record.Json.GetProperty("payload").GetProperty("msg").GetProperty("trade_id").GetString()!;
}
