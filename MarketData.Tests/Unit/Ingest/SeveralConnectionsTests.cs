using System.Text.Json;
using MarketData.Tests.Integration.LocalKafka;
using MarketData.Tests.Unit.ServiceDefaults;
using Microsoft.AspNetCore.Http;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>More markets than one connection may have are spread over several, of which each fails for itself.</summary>
public sealed class SeveralConnectionsTests : IAsyncLifetime
{
    private BrokerProcess _kafka = null!;
    private ScriptedExchange _exchange = null!;
    private ServiceHost _ingest = null!;
    private LogReader _log = null!;
    private ExchangeSession _first = null!, _second = null!;

    public async ValueTask InitializeAsync()
    {
        _kafka = await BrokerProcess.StartAsync();
        _exchange = await ScriptedExchange.StartAsync();
        _exchange.Listing = ScriptedExchange.Page("", "MKT-A", "MKT-B", "MKT-C");
        _ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap, ("Upstream:MarketsPerConnection", "2"), ("Upstream:LivenessSeconds", "600"));
        _log = new LogReader(_kafka.Bootstrap);
        // Which of the two comes first is open.
        foreach (var session in new[] { await _exchange.AcceptAsync(), await _exchange.AcceptAsync() })
        {
            var command = await session.ReceiveAsync();
            if (ChannelOf(command) == "ticker") await ServeFirstAsync(session, command);
            else await ServeSecondAsync(session, command);
        }

        await _log.ReadUntilAsync(records => records.Count == 3, "the snapshots are in the log");
    }

    public async ValueTask DisposeAsync()
    {
        _log.Dispose();
        await _ingest.DisposeAsync();
        await _exchange.DisposeAsync();
        await _kafka.DisposeAsync();
    }

    [Fact]
    public async Task Each_market_is_followed_once_and_the_channels_of_all_markets_on_one_connection()
    {
        await _first.TradeAsync("MKT-C", "t1");
        await _second.DeltaAsync("MKT-C");
        await _log.ReadUntilAsync(records => records.Count == 5, "frames of both connections are in the log");
        var report = await _ingest.WaitForAsync("exchange", "Healthy");
        Assert.Equal("3 order books subscribed.", report.Reason("exchange"));
        Assert.Equal(2, (await UpstreamAsync()).GetProperty("connections").GetInt32());
        // The second connection shares the listing of the first.
        Assert.Equal(1, _exchange.Listings);
    }

    [Fact]
    public async Task The_end_of_one_connection_makes_only_its_books_stale()
    {
        _second.Cut();
        await _log.ReadUntilAsync(records => records.Any(record => record.IsStale), "the loss is in the log");
        await _first.DeltaAsync("MKT-A");
        var session = await _exchange.AcceptAsync();
        await ServeSecondAsync(session, await session.ReceiveAsync());
        await _log.ReadUntilAsync(records => records.Count == 6, "the delta and the new snapshot are in the log");
        Assert.Equal(["MKT-C"], _log.Records.Where(record => record.IsStale).Select(record => record.Key));
        Assert.Equal(1, (await UpstreamAsync()).GetProperty("reconnects").GetInt64());
    }

    [Fact]
    public async Task Health_names_the_connection_that_is_down()
    {
        _exchange.Handshake = _ => StatusCodes.Status503ServiceUnavailable;
        _second.Cut();
        var report = await _ingest.WaitForAsync("exchange", "Unhealthy");
        Assert.Contains("connection 2 of 2", report.Reason("exchange"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_market_that_is_settled_is_left_on_the_connection_that_follows_it()
    {
        await _first.SendAsync("""{"type":"market_lifecycle_v2","sid":3,"msg":{"market_ticker":"MKT-C","event_type":"settled"}}""");
        var command = await _second.ReceiveAsync();
        var parameters = command.GetProperty("params");
        Assert.Equal("delete_markets", parameters.GetProperty("action").GetString());
        Assert.Equal("MKT-C", parameters.GetProperty("market_tickers")[0].GetString());
    }

    [Fact]
    public async Task A_new_market_goes_to_the_connection_that_has_room()
    {
        _exchange.Listing = ScriptedExchange.Page("", "MKT-A", "MKT-B", "MKT-C", "MKT-D");
        await _first.SendAsync("""{"type":"market_lifecycle_v2","sid":3,"msg":{"market_ticker":"MKT-D","event_type":"created"}}""");
        var command = await _second.ReceiveAsync();
        Assert.Equal("MKT-D", command.GetProperty("params").GetProperty("market_tickers")[0].GetString());
    }

    private async Task ServeFirstAsync(ExchangeSession session, JsonElement command)
    {
        _first = session;
        await session.ServeSubscriptionsAsync(books: 2, _ => 10, received: command);
    }

    private async Task ServeSecondAsync(ExchangeSession session, JsonElement command)
    {
        _second = session;
        Assert.Equal("orderbook_delta", ChannelOf(command));
        await session.ServeSubscriptionsAsync(books: 1, _ => 10, allMarketChannels: 0, received: command);
    }

    private static string ChannelOf(JsonElement command) => command.GetProperty("params").GetProperty("channels")[0].GetString()!;

    private async Task<JsonElement> UpstreamAsync() => (await _ingest.GetAsync("/stats")).Json.GetProperty("upstream");
}
