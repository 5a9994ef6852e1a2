using System.Text;
using MarketData.Domain.Books;
using MarketData.Tests.Integration.LocalKafka;
using MarketData.Tests.Unit.ServiceDefaults;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>What is lost on a running connection is asked for anew on it.</summary>
public sealed class ResyncTests : IAsyncLifetime
{
    private BrokerProcess _kafka = null!;
    private ScriptedExchange _exchange = null!;
    private ServiceHost _ingest = null!;
    private ExchangeSession _session = null!;
    private LogReader _log = null!;

    public async ValueTask InitializeAsync()
    {
        _kafka = await BrokerProcess.StartAsync();
        _exchange = await ScriptedExchange.StartAsync();
        _ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap, ("Upstream:AnswerSeconds", "2"));
        _session = await _exchange.AcceptSubscribedAsync();
        _log = new LogReader(_kafka.Bootstrap);
    }

    public async ValueTask DisposeAsync()
    {
        _log.Dispose();
        await _ingest.DisposeAsync();
        await _exchange.DisposeAsync();
        await _kafka.DisposeAsync();
    }

    [Fact]
    public async Task A_gap_brings_a_fresh_snapshot_of_every_book_and_leaves_no_hole_in_the_streams()
    {
        await _session.DeltaAsync("MKT-A");
        _session.NextSeq(ExchangeSession.BookSid);
        await _session.DeltaAsync("MKT-B");

        Assert.Equal(["MKT-A", "MKT-B"], (await _session.ServeSnapshotsAsync()).Order());
        await _session.DeltaAsync("MKT-B");

        var records = await RecordsAsync(8);
        // The delta behind the gap changed a book that nobody knew; the snapshots are published though they are equal to the first ones.
        string lost = _session.Sent[3];
        Assert.Equal(_session.Sent.Where(frame => frame != lost).Order(), Exchanged(records));
        foreach (var market in records.GroupBy(record => record.Key))
            Assert.Equal(Enumerable.Range(1, 4).Select(number => (long)number), market.Select(record => record.Envelope.StreamSequence));
    }

    [Fact]
    public async Task Between_a_gap_and_the_next_snapshot_every_book_is_marked_stale()
    {
        await _session.DeltaAsync("MKT-A");
        _session.NextSeq(ExchangeSession.BookSid);
        await _session.DeltaAsync("MKT-B");
        await _session.ServeSnapshotsAsync();

        foreach (var market in (await RecordsAsync(7)).GroupBy(record => record.Key))
        {
            var marked = Assert.Single(market, record => record.IsStale);
            var book = new SequencedBook();
            foreach (var record in market.TakeWhile(record => record != marked)) Assert.Equal(BookOutcome.Applied, book.Apply(record.Value, record.Envelope));
            var last = book.Book.Levels(Side.Yes).ToArray();
            Assert.Equal(BookOutcome.Applied, book.Apply(marked.Value, marked.Envelope));
            // The last known book, under the market's own id.
            Assert.True(book.IsStale);
            Assert.Equal(last, book.Book.Levels(Side.Yes).ToArray());
            Assert.Equal($"id-{market.Key}", Encoding.UTF8.GetString(book.MarketId));
            foreach (var record in market.SkipWhile(record => record != marked).Skip(1)) book.Apply(record.Value, record.Envelope);
            Assert.False(book.IsStale);
        }
    }

    [Fact]
    public async Task A_frame_that_comes_twice_is_taken_once()
    {
        await _session.DeltaAsync("MKT-A");
        await _session.SendControlAsync(_session.Sent[^1]);
        await _session.ServeSnapshotsAsync();

        var records = await RecordsAsync(7);
        Assert.Single(records, record => record.Payload.Contains("delta", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_unreadable_frame_is_a_gap_for_the_frame_behind_it()
    {
        _session.NextSeq(ExchangeSession.BookSid);
        await _session.SendControlAsync("""{"type":"orderbook_snapshot","sid":4,"seq":3,"msg":{"market_ticker""");
        await _session.DeltaAsync("MKT-A");
        await _session.ServeSnapshotsAsync();

        Assert.DoesNotContain(await RecordsAsync(6), record => record.Payload.Contains("orderbook_delta", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"market_ticker":"MKT-A","price_dollars":"0.4000","delta_fp":"-10.01","side":"yes"}""", "orderbook_delta")]
    [InlineData("""{"market_ticker":"MKT-A","price_dollars":"0.40000001","delta_fp":"1.00","side":"yes"}""", "orderbook_delta")]
    [InlineData("""{"market_ticker":"MKT-A","yes_dollars_fp":[["0.4000","x"]]}""", "orderbook_snapshot")]
    public async Task A_book_frame_that_cannot_be_right_is_not_published_and_its_market_alone_is_asked_for_anew(string body, string type)
    {
        await _session.SendControlAsync($$$"""{"type":"{{{type}}}","sid":4,"seq":{{{_session.NextSeq(ExchangeSession.BookSid)}}},"msg":{{{body}}}}""");
        Assert.Equal(["MKT-A"], await _session.ServeSnapshotsAsync(contracts: 7));
        await _session.DeltaAsync("MKT-A");
        await _session.DeltaAsync("MKT-B");

        var records = await RecordsAsync(6);
        Assert.Equal(_session.Sent.Order(), Exchanged(records));
        Assert.Equal("MKT-A", Assert.Single(records, record => record.IsStale).Key);
    }

    [Fact]
    public async Task A_market_without_a_usable_snapshot_harms_no_other_and_is_named()
    {
        await BreakAsync();
        var command = await _session.ReceiveAsync();
        Assert.Equal("get_snapshot", command.GetProperty("params").GetProperty("action").GetString());
        await BreakAsync();
        await _session.DeltaAsync("MKT-B");

        var report = await _ingest.WaitForAsync("exchange", "Degraded");
        Assert.Contains("MKT-A", report.Reason("exchange"), StringComparison.Ordinal);
        Assert.Contains(await RecordsAsync(5), record => record.Payload == _session.Sent[^1]);

        Task BreakAsync() => _session.SendControlAsync(
            $$$"""{"type":"orderbook_snapshot","sid":4,"seq":{{{_session.NextSeq(ExchangeSession.BookSid)}}},"msg":{"market_ticker":"MKT-A","yes_dollars_fp":0}}""");
    }

    [Fact]
    public async Task A_refused_snapshot_leads_to_a_new_subscription_on_the_same_connection()
    {
        _session.NextSeq(ExchangeSession.BookSid);
        await _session.DeltaAsync("MKT-B");
        await _session.RefuseAsync(await _session.ReceiveAsync(), 13, "Unsupported action");

        var unsubscribe = await _session.ReceiveAsync();
        Assert.Equal("unsubscribe", unsubscribe.GetProperty("cmd").GetString());
        Assert.Equal(ExchangeSession.BookSid, unsubscribe.GetProperty("params").GetProperty("sids")[0].GetInt32());
        await _session.SendControlAsync(
            $$$"""{"id":{{{unsubscribe.GetProperty("id")}}},"type":"unsubscribed","sid":4,"seq":{{{_session.NextSeq(ExchangeSession.BookSid)}}}}""");
        await ServeNewBookSubscriptionAsync();

        Assert.Equal(4, Exchanged(await RecordsAsync(6)).Count());
        await _ingest.WaitForAsync("exchange", "Healthy");
    }

    [Fact]
    public async Task An_exchange_that_answers_nothing_any_more_leads_to_a_new_connection()
    {
        _session.NextSeq(ExchangeSession.BookSid);
        await _session.DeltaAsync("MKT-B");

        await _exchange.AcceptSubscribedAsync();
        Assert.Equal(4, Exchanged(await RecordsAsync(6)).Count());
    }

    [Theory]
    [InlineData(10)]
    [InlineData(25)]
    public async Task A_subscription_to_books_that_the_exchange_ended_is_subscribed_again(int code)
    {
        await _session.SendControlAsync(
            $$$"""{"type":"error","sid":4,"seq":{{{_session.NextSeq(ExchangeSession.BookSid)}}},"msg":{"code":{{{code}}},"msg":"over"}}""");
        await ServeNewBookSubscriptionAsync();
        Assert.Equal(4, Exchanged(await RecordsAsync(6)).Count());
    }

    [Fact]
    public async Task Another_subscription_that_the_exchange_ended_is_subscribed_again_without_touching_the_books()
    {
        await _session.SendControlAsync("""{"type":"error","sid":2,"seq":1,"msg":{"code":25,"msg":"Subscription buffer overflow"}}""");
        var command = await _session.ReceiveAsync();
        Assert.Equal("trade", command.GetProperty("params").GetProperty("channels")[0].GetString());
        await _session.SendControlAsync($$$"""{"id":{{{command.GetProperty("id")}}},"type":"subscribed","msg":{"channel":"trade","sid":5}}""");
        await _session.DeltaAsync("MKT-A");
        await _session.SendAsync("""{"type":"trade","sid":5,"seq":1,"msg":{"trade_id":"after","market_ticker":"MKT-A"}}""");

        Assert.Equal(_session.Sent.Order(), Exchanged(await RecordsAsync(4)));
    }

    [Fact]
    public async Task A_closed_market_is_left_and_a_new_one_is_subscribed_soon()
    {
        _exchange.Listing = ScriptedExchange.Page("", "MKT-B", "MKT-C");
        await LifecycleAsync("MKT-A", "determined");
        var leave = await _session.ReceiveAsync();
        Assert.Equal("delete_markets", leave.GetProperty("params").GetProperty("action").GetString());
        Assert.Equal(["MKT-A"], leave.GetProperty("params").GetProperty("market_tickers").EnumerateArray().Select(ticker => ticker.GetString()));
        await _session.AcknowledgeBooksAsync(leave, isFirst: false);

        await LifecycleAsync("MKT-C", "activated");
        var add = await _session.ReceiveAsync();
        Assert.Equal(["MKT-C"], add.GetProperty("params").GetProperty("market_tickers").EnumerateArray().Select(ticker => ticker.GetString()));

        Task LifecycleAsync(string ticker, string happened) => _session.SendAsync(
            $$$"""{"type":"market_lifecycle_v2","sid":3,"seq":{{{_session.NextSeq(ExchangeSession.LifecycleSid)}}},"msg":{"market_ticker":"{{{ticker}}}","event_type":"{{{happened}}}"}}""");
    }

    private async Task ServeNewBookSubscriptionAsync()
    {
        const int newSid = 6;
        var command = await _session.ReceiveAsync();
        Assert.Equal("subscribe", command.GetProperty("cmd").GetString());
        await _session.SendControlAsync($$$"""{"id":{{{command.GetProperty("id")}}},"type":"subscribed","msg":{"channel":"orderbook_delta","sid":{{{newSid}}}}}""");
        foreach (var ticker in command.GetProperty("params").GetProperty("market_tickers").EnumerateArray())
        {
            await _session.SendAsync(
                $$$"""{"type":"orderbook_snapshot","sid":{{{newSid}}},"seq":{{{_session.NextSeq(newSid)}}},"msg":{"market_ticker":"{{{ticker}}}","yes_dollars_fp":[["0.4000","10.00"]]}}""");
        }
    }

    // What came from the exchange, byte for byte.
    private static IEnumerable<string> Exchanged(List<LogRecord> records) =>
        records.Where(record => !record.IsStale).Select(record => record.Payload).Order();

    private async Task<List<LogRecord>> RecordsAsync(int count)
    {
        await _log.ReadUntilAsync(records => records.Count >= count, $"{count} records are in the log");
        return _log.Records;
    }
}
