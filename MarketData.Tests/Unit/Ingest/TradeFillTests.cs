using System.Collections.Concurrent;
using System.Net.WebSockets;
using MarketData.Tests.Integration.LocalKafka;
using MarketData.Tests.Unit.ServiceDefaults;
using Microsoft.AspNetCore.Http;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>Trades that the socket did not bring come from the exchange's REST API, and none comes twice.</summary>
public sealed class TradeFillTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> _queries = [];
    private BrokerProcess _kafka = null!;
    private ScriptedExchange _exchange = null!;
    private ServiceHost _ingest = null!;
    private LogReader _log = null!;

    public async ValueTask InitializeAsync()
    {
        _kafka = await BrokerProcess.StartAsync();
        _exchange = await ScriptedExchange.StartAsync();
        List();
        _ingest = await StartAsync();
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
    public async Task Trades_missed_between_two_connections_are_published_once_in_order_and_say_where_they_are_from()
    {
        var session = await _exchange.AcceptSubscribedAsync();
        await session.SendAsync(Live("t1", 1_700_000_010_500));
        List(Listed("t3", "00:00:14.250"), Listed("t2", "00:00:12"), Listed("t1", "00:00:10.500"));
        await ReadAsync("t1");
        await session.CloseAsync(WebSocketCloseStatus.EndpointUnavailable);

        session = await _exchange.AcceptSubscribedAsync();
        await session.SendAsync(Live("t4", 1_700_000_016_000));
        var trades = await ReadAsync("t2", "t3", "t4");

        Assert.Equal(["t1", "t2", "t3", "t4"], trades.Select(Id).Order());
        Assert.True(Place("t2") < Place("t3"));
        Assert.Equal(Enumerable.Range(1, 4).Select(number => (long)number), trades.Select(trade => trade.Envelope.StreamSequence));
        var filled = trades[Place("t3")].Json;
        Assert.Equal("kalshi-rest", filled.GetProperty("source").GetString());
        Assert.Equal("kalshi-websocket", trades[Place("t4")].Json.GetProperty("source").GetString());
        Assert.Equal(
            """{"type":"trade","msg":{"market_ticker":"MKT-A","trade_id":"t3","yes_price_dollars":"0.4000","count_fp":"1.00","ts":1700000014,"ts_ms":1700000014250}}""",
            filled.GetProperty("payload").GetRawText());
        // From the last trade that was seen, less a margin.
        Assert.Contains(_queries, query => query.Contains("min_ts=1700000008&", StringComparison.Ordinal));

        int Place(string id) => trades.FindIndex(trade => Id(trade) == id);
    }

    [Fact]
    public async Task A_hole_in_the_numbers_of_trades_is_filled()
    {
        var session = await _exchange.AcceptSubscribedAsync();
        await session.SendAsync(Live("t1", 1_700_000_010_500));
        List(Listed("t2", "00:00:12"));
        session.NextSeq(ExchangeSession.TradeSid);
        await session.TradeAsync("MKT-A", "t3");

        Assert.Equal(["t1", "t2", "t3"], (await ReadAsync("t1", "t2", "t3")).Select(Id).Order());
    }

    [Fact]
    public async Task A_trade_that_the_exchange_repeats_is_skipped()
    {
        var session = await _exchange.AcceptSubscribedAsync();
        await session.TradeAsync("MKT-A", "t1");
        await session.TradeAsync("MKT-A", "t1");
        await session.TradeAsync("MKT-A", "t2");

        Assert.Equal(["t1", "t2"], (await ReadAsync("t2")).Select(Id));
        Assert.Equal(1, (await _ingest.GetAsync("/stats")).Json.GetProperty("upstream").GetProperty("skipped").GetProperty("repeated_trade").GetInt64());
    }

    [Fact]
    public async Task Trades_missed_while_the_service_was_down_are_published_after_its_start()
    {
        var session = await _exchange.AcceptSubscribedAsync();
        await session.SendAsync(Live("t1", 1_700_000_010_500));
        await ReadAsync("t1");
        await _ingest.DisposeAsync();
        List(Listed("t2", "00:00:12"), Listed("t1", "00:00:10.500"));

        _ingest = await StartAsync();
        await _exchange.AcceptSubscribedAsync();

        Assert.Equal(["t1", "t2"], (await ReadAsync("t2")).Select(Id));
    }

    [Fact]
    public async Task Nothing_is_asked_for_at_a_first_start()
    {
        var session = await _exchange.AcceptSubscribedAsync();
        await session.TradeAsync("MKT-A", "t1");
        await ReadAsync("t1");

        Assert.Empty(_queries);
    }

    [Fact]
    public async Task A_listing_that_fails_is_told_by_health_and_asked_for_again()
    {
        var session = await _exchange.AcceptSubscribedAsync();
        await session.SendAsync(Live("t1", 1_700_000_010_500));
        await ReadAsync("t1");
        _exchange.Trades = context => context.Response.WriteAsync("{\"trades\":7}");
        session.NextSeq(ExchangeSession.TradeSid);
        await session.TradeAsync("MKT-A", "t3");
        await _ingest.WaitForAsync("trades", "Degraded");

        List(Listed("t2", "00:00:12"));

        await ReadAsync("t2");
        await _ingest.WaitForAsync("trades", "Healthy");
    }

    private Task<ServiceHost> StartAsync() => IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap);

    private void List(params string[] newestFirst) => _exchange.Trades = Answer($"[{string.Join(',', newestFirst)}]");

    private RequestDelegate Answer(string trades) => context =>
    {
        _queries.Enqueue(context.Request.QueryString.Value!);
        return context.Response.WriteAsync($$"""{"trades":{{trades}},"cursor":""}""");
    };

    private static string Listed(string id, string time) =>
        $$"""{"trade_id":"{{id}}","ticker":"MKT-A","yes_price_dollars":"0.4000","count_fp":"1.00","created_time":"2023-11-14T22:13:{{int.Parse(time[6..8]) + 20:00}}{{time[8..]}}Z"}""";

    private static string Live(string id, long milliseconds) =>
        $$$"""{"type":"trade","msg":{"trade_id":"{{{id}}}","market_ticker":"MKT-A","yes_price_dollars":"0.4000","count_fp":"1.00","ts_ms":{{{milliseconds}}}}}""";

    private static string Id(LogRecord trade) => trade.Json.GetProperty("payload").GetProperty("msg").GetProperty("trade_id").GetString()!;

    /// <summary>All trades once these are among them.</summary>
    private async Task<List<LogRecord>> ReadAsync(params string[] ids)
    {
        await _log.ReadUntilAsync(records => ids.All(id => Trades(records).Any(trade => Id(trade) == id)), $"the trades {string.Join(", ", ids)}");
        return Trades(_log.Records);

        static List<LogRecord> Trades(List<LogRecord> records) => [.. records.Where(record => record.Payload.Contains("trade_id", StringComparison.Ordinal))];
    }
}
