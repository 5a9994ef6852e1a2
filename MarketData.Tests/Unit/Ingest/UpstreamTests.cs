using System.Text.Json;
using MarketData.Tests.Integration.LocalKafka;
using MarketData.Tests.Unit.ServiceDefaults;
using Microsoft.AspNetCore.Http;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>From a scripted exchange's frames to the records of a real broker.</summary>
public sealed class UpstreamTests : IAsyncLifetime
{
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
    public async Task Envelopes_have_the_documented_fields_and_the_payload_byte_for_byte()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap);
        var session = await _exchange.AcceptSubscribedAsync();
        await session.DeltaAsync("MKT-A");
        await session.SendAsync("""{"sid":1,"type":"ticker","msg":{"price_dollars":"0.4800","market_ticker":"MKT-B" , "unheard_of":[1.50,null]}}""");
        await session.SendAsync("""{"type":"event_lifecycle","sid":3,"seq":1,"msg":{"event_ticker":"EVT"}}""");
        await session.SendAsync("""{"type":"surprise","msg":{"market_ticker":"MKT-A","text":"ö"}}""");
        await session.TradeAsync("MKT-A", "t-1");

        using var log = new LogReader(_kafka.Bootstrap);
        await log.ReadUntilAsync(records => records.Count >= 7, "all frames are in the log");

        Assert.Equal(session.Sent.Order(), log.Records.Select(record => record.Payload).Order());
        foreach (var record in log.Records) AssertDocumented(record);
        Assert.Equal("all-markets", Single(log, "event_lifecycle").Key);
        Assert.Equal(JsonValueKind.Null, Single(log, "event_lifecycle").Json.GetProperty("marketTicker").ValueKind);
        Assert.Equal("surprise", Single(log, "surprise").Json.GetProperty("channel").GetString());
        Assert.Equal("ticker_v2", Single(log, "\"ticker\"").Json.GetProperty("channel").GetString());
        Assert.Equal(JsonValueKind.Null, Single(log, "\"ticker\"").Json.GetProperty("sequence").ValueKind);
        Assert.Equal(3, Single(log, "orderbook_delta").Json.GetProperty("sequence").GetInt64());
    }

    [Fact]
    public async Task Frames_of_a_market_stay_in_one_partition_and_in_order()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap);
        var session = await _exchange.AcceptSubscribedAsync();
        for (int i = 0; i < 300; i++) await session.DeltaAsync(i % 2 == 0 ? "MKT-A" : "MKT-B");

        using var log = new LogReader(_kafka.Bootstrap);
        await log.ReadUntilAsync(records => records.Count >= 302, "all frames are in the log");

        foreach (var market in log.Records.GroupBy(record => record.Key))
        {
            Assert.Single(market.Select(record => record.Partition).Distinct());
            Assert.Equal(Enumerable.Range(1, 151).Select(number => (long)number), market.Select(record => record.Envelope.StreamSequence));
            Assert.Equal(session.Sent.Where(frame => frame.Contains(market.Key, StringComparison.Ordinal)), market.Select(record => record.Payload));
        }
    }

    [Fact]
    public async Task Private_frames_and_private_fields_never_reach_the_log()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap);
        var session = await _exchange.AcceptSubscribedAsync();
        await session.SendAsync("""{"type":"fill","sid":9,"msg":{"market_ticker":"MKT-A","trade_id":"secret"}}""");
        await session.SendAsync("""{"type":"user_order","sid":9,"msg":{"market_ticker":"MKT-A","order_id":"secret"}}""");
        await session.SendAsync("""{"type":"market_position","sid":9,"msg":{"market_ticker":"MKT-A","position_fp":"secret"}}""");
        await session.DeltaAsync("MKT-A", ""","client_order_id":"secret","subaccount":7,"ts_ms":5""");
        await session.TradeAsync("MKT-A", "last");

        using var log = new LogReader(_kafka.Bootstrap);
        await log.ReadUntilAsync(records => records.Any(record => record.Text.Contains("last", StringComparison.Ordinal)), "the last frame is in the log");
        await log.ReadUntilAsync(records => records.Count >= 4, "the public frames are in the log");

        Assert.Equal(4, log.Records.Count);
        Assert.All(log.Records, record => Assert.DoesNotContain("secret", record.Text, StringComparison.Ordinal));
        Assert.All(log.Records, record => Assert.DoesNotContain("subaccount", record.Text, StringComparison.Ordinal));
        Assert.Contains("\"ts_ms\":5", Single(log, "orderbook_delta").Payload, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("close")]
    [InlineData("an error of an unknown subscription")]
    public async Task Whatever_ends_the_connection_leads_to_a_new_one_whose_snapshots_are_all_published(string fault)
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap);
        var first = await _exchange.AcceptSubscribedAsync();
        using var log = new LogReader(_kafka.Bootstrap);
        await log.ReadUntilAsync(records => records.Count >= 2, "the snapshots are in the log");
        switch (fault)
        {
            case "cut":
                first.Cut();
                break;
            case "close":
                await first.CloseAsync();
                break;
            default:
                await first.SendControlAsync("""{"type":"error","sid":9,"msg":{"code":25,"msg":"Subscription buffer overflow"}}""");
                break;
        }

        var second = await _exchange.AcceptSubscribedAsync();
        await second.TradeAsync("MKT-A", "after");
        await log.ReadUntilAsync(records => records.Count >= 7, "both connections' frames are in the log");
        Assert.Equal(first.Sent.Concat(second.Sent).Order(), log.Records.Where(record => !record.IsStale).Select(record => record.Payload).Order());
        // Between the connections nobody knows the books, and everybody is told.
        Assert.Equal(["MKT-A", "MKT-B"], log.Records.Where(record => record.IsStale).Select(record => record.Key).Order());
        await ingest.WaitForAsync("exchange", "Healthy");
    }

    [Fact]
    public async Task Malformed_frames_without_a_number_do_no_harm()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap);
        var session = await _exchange.AcceptSubscribedAsync();
        foreach (string frame in (string[])["", "{", "[]", "null", "\"text\"", "{}", """{"type":"ticker","msg":{"market_ticker":"a:b"}}""", """{"msg":{"market_ticker":"MKT-A"}}"""])
            await session.SendControlAsync(frame);
        await session.TradeAsync("MKT-A", "after");

        using var log = new LogReader(_kafka.Bootstrap);
        await log.ReadUntilAsync(records => records.Count >= 3, "the frame after is in the log");
        Assert.Equal(session.Sent.Order(), log.Records.Select(record => record.Payload).Order());
    }

    [Fact]
    public async Task Silence_without_pongs_leads_to_a_new_connection()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap, ("Upstream:LivenessSeconds", "2"));
        // A WebSocket answers pings while something reads it: this one is not read any more.
        await _exchange.AcceptSubscribedAsync();

        var second = await _exchange.AcceptAsync();
        Assert.Equal("ticker", (await second.ReceiveAsync()).GetProperty("params").GetProperty("channels")[0].GetString());
    }

    [Fact]
    public async Task Commands_go_one_at_a_time_each_after_the_answer_to_the_one_before()
    {
        _exchange.Listing = ScriptedExchange.Page("", [.. Enumerable.Range(0, 5).Select(number => $"MKT-{number}")]);
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap, ("Upstream:BatchSize", "2"));
        var session = await _exchange.AcceptSubscribedAsync(books: 5);
        Assert.Equal(5, session.Sent.Count);
        var report = await ingest.WaitForAsync("exchange", "Healthy");
        Assert.Equal("5 order books subscribed.", report.Reason("exchange"));
    }

    [Fact]
    public async Task A_command_without_an_answer_leads_to_a_new_connection()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap, ("Upstream:AnswerSeconds", "1"));
        var first = await _exchange.AcceptAsync();
        await first.ReceiveAsync();
        var second = await _exchange.AcceptAsync();
        await second.ReceiveAsync();
    }

    [Fact]
    public async Task What_the_exchange_refuses_is_reported_and_asked_again()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap, ("Upstream:RefreshSeconds", "1"));
        var session = await _exchange.AcceptAsync();
        var command = await session.ReceiveAsync();
        await session.SendControlAsync($$$"""{"type":"error","id":{{{command.GetProperty("id")}}},"msg":{"code":27,"msg":"Too many requests"}}""");
        for (int i = 0; i < 2; i++) await Acknowledge(await session.ReceiveAsync());
        await session.AcknowledgeBooksAsync(await session.ReceiveAsync(), isFirst: true);

        var again = await session.ReceiveAsync();
        var report = await ingest.WaitForAsync("exchange", "Degraded");
        Assert.Contains("Too many requests", report.Reason("exchange"), StringComparison.Ordinal);
        Assert.Equal(command.GetProperty("params").GetProperty("channels")[0].GetString(), again.GetProperty("params").GetProperty("channels")[0].GetString());
        await Acknowledge(again);
        await ingest.WaitForAsync("exchange", "Healthy");

        Task Acknowledge(JsonElement answered) =>
            session.SendControlAsync($$$"""{"type":"subscribed","id":{{{answered.GetProperty("id")}}},"msg":{"channel":"x","sid":{{{answered.GetProperty("id")}}}}}""");
    }

    [Fact]
    public async Task Markets_are_listed_page_by_page_through_failures_and_a_repeating_cursor()
    {
        int failures = 2;
        _exchange.Listing = context =>
        {
            if (Interlocked.Decrement(ref failures) >= 0)
            {
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                return Task.CompletedTask;
            }

            Assert.Equal("open", context.Request.Query["status"]);
            Assert.Equal("exclude", context.Request.Query["mve_filter"]);
            return (string?)context.Request.Query["cursor"] switch
            {
                null => ScriptedExchange.Page("a+/=&b", "MKT-1", "MKT-2")(context),
                "a+/=&b" => ScriptedExchange.Page("again", "MKT-2", "MKT-3", "no:name")(context),
                _ => ScriptedExchange.Page("again", "MKT-4")(context),
            };
        };
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap);
        var session = await _exchange.AcceptSubscribedAsync(books: 4);
        Assert.Equal(["MKT-1", "MKT-2", "MKT-3", "MKT-4"], session.Sent.Select(frame => JsonDocument.Parse(frame).RootElement.GetProperty("msg").GetProperty("market_ticker").GetString()));
    }

    [Fact]
    public async Task A_listing_that_fails_later_does_not_cost_the_connection_and_new_markets_are_added()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap, ("Upstream:RefreshSeconds", "1"));
        var session = await _exchange.AcceptSubscribedAsync();
        _exchange.Listing = context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        };
        int listings = _exchange.Listings;
        await Eventually.TrueAsync(() => _exchange.Listings >= listings + 2, TimeSpan.FromSeconds(60), () => "the markets are listed again");
        _exchange.Listing = ScriptedExchange.Page("", "MKT-A", "MKT-B", "MKT-C");

        var command = await session.ReceiveAsync();
        Assert.Equal(["MKT-C"], command.GetProperty("params").GetProperty("market_tickers").EnumerateArray().Select(ticker => ticker.GetString()));
    }

    [Fact]
    public async Task An_exchange_that_is_down_at_the_start_is_waited_for()
    {
        using var port = new ClosedPort();
        await using var ingest = await IngestHost.StartUpstreamAsync($"http://{port.Address}", _kafka.Bootstrap);
        await ingest.WaitForAsync("exchange", "Unhealthy");
        int number = port.Number;
        port.Dispose();

        await using var exchange = await ScriptedExchange.StartAsync(number);
        await exchange.AcceptSubscribedAsync();
        await ingest.WaitForAsync("exchange", "Healthy");
    }

    [Fact]
    public async Task A_Kafka_that_is_down_at_the_start_is_waited_for_before_the_exchange_is_asked()
    {
        await _kafka.KillAsync();
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap);
        var report = await ingest.WaitForAsync("exchange", "Unhealthy");
        Assert.Contains("waiting for Kafka", report.Reason("exchange"), StringComparison.Ordinal);
        Assert.Equal(0, _exchange.Listings);

        await _kafka.StartAgainAsync();
        var session = await _exchange.AcceptSubscribedAsync();
        using var log = new LogReader(_kafka.Bootstrap);
        await log.ReadUntilAsync(records => records.Count == session.Sent.Count, "the snapshots are in the log");
    }

    [Fact]
    public async Task Frames_that_arrive_while_Kafka_is_down_are_delivered_once_and_in_order_when_it_is_back()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap);
        var session = await _exchange.AcceptSubscribedAsync();
        for (int i = 0; i < 100; i++) await session.TradeAsync("MKT-A", $"before-{i}");
        await _kafka.KillAsync();
        for (int i = 0; i < 100; i++) await session.TradeAsync("MKT-A", $"during-{i}");
        await _kafka.StartAgainAsync();
        for (int i = 0; i < 100; i++) await session.TradeAsync("MKT-A", $"after-{i}");

        using var log = new LogReader(_kafka.Bootstrap);
        await log.ReadUntilAsync(records => records.Count >= session.Sent.Count, "all frames are in the log");
        var trades = log.Records.Where(record => record.Payload.Contains("trade_id", StringComparison.Ordinal)).ToList();
        Assert.Equal(session.Sent.Skip(2), trades.Select(record => record.Payload));
        Assert.Equal(Enumerable.Range(1, 300).Select(number => (long)number), trades.Select(record => record.Envelope.StreamSequence));
    }

    [Fact]
    public async Task A_stop_delivers_what_has_arrived_and_takes_less_than_ten_seconds()
    {
        var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap);
        var session = await _exchange.AcceptSubscribedAsync();
        await using (ingest)
        {
            await session.TradeAsync("MKT-A", "last");
            using var log = new LogReader(_kafka.Bootstrap);
            await log.ReadUntilAsync(records => records.Count >= 3, "the last frame is in the log");
            await ingest.StopAsync().WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_frame_above_the_limit_leads_to_a_new_connection()
    {
        await using var ingest = await IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap, ("Upstream:MaxFrameBytes", "1024"));
        var first = await _exchange.AcceptSubscribedAsync();
        await first.SendControlAsync($$$"""{"type":"ticker","msg":{"market_ticker":"MKT-A","text":"{{{new string('x', 2000)}}}"}}""");
        await _exchange.AcceptSubscribedAsync();
    }

    private static LogRecord Single(LogReader log, string payloadPart) =>
        log.Records.Single(record => record.Payload.Contains(payloadPart, StringComparison.Ordinal));

    private static void AssertDocumented(LogRecord record)
    {
        var json = record.Json;
        Assert.Equal(JsonValueKind.Object, json.GetProperty("payload").ValueKind);
        long received = json.GetProperty("receivedTimestamp").GetInt64(), published = json.GetProperty("publishedTimestamp").GetInt64();
        Assert.InRange(received, DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeMilliseconds(), published);
        Assert.InRange(published, received, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        Assert.Equal(JsonValueKind.String, json.GetProperty("channel").ValueKind);
        Assert.Equal(record.Key, json.GetProperty("marketTicker").GetString() ?? "all-markets");
        Assert.Contains(json.GetProperty("sequence").ValueKind, (JsonValueKind[])[JsonValueKind.Number, JsonValueKind.Null]);
        Assert.Equal("kalshi-websocket", json.GetProperty("source").GetString());
        Assert.Equal(1, json.GetProperty("version").GetInt32());
        Assert.True(json.GetProperty("streamSequence").GetInt64() > 0);
        Assert.True(json.GetProperty("streamEpoch").GetInt64() > 0);
    }
}
