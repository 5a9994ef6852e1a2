using System.Net;
using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>REST (protocol reference, section 3).</summary>
public class RestTests
{
    [Fact]
    public async Task Pages_cover_every_market_once_in_order_and_the_last_cursor_is_empty()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var tickers = new List<string>();
        string cursor = "";
        int pages = 0;
        do
        {
            var page = await exchange.GetAsync($"markets?limit=5&cursor={Uri.EscapeDataString(cursor)}");
            tickers.AddRange(page["markets"]!.AsArray().Select(market => (string)market!["ticker"]!));
            cursor = (string)page["cursor"]!;
            pages++;
        }
        while (cursor.Length > 0);

        Assert.Equal(3, pages);
        Assert.Equal(12, tickers.Count);
        Assert.Equal(tickers.Distinct().Order(StringComparer.Ordinal), tickers);
    }

    [Fact]
    public async Task A_page_may_be_full_and_last()
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var page = await exchange.GetAsync("markets?limit=12");

        Assert.Equal((12, ""), (page["markets"]!.AsArray().Count, (string)page["cursor"]!));
    }

    [Fact]
    public async Task Filters_select_by_ticker_event_series_and_status_word()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var markets = (await exchange.GetAsync("markets"))["markets"]!.AsArray();
        var market = markets.First(candidate => ((string)candidate!["ticker"]!).StartsWith("KXBTCD", StringComparison.Ordinal))!;
        string ticker = (string)market["ticker"]!, eventTicker = (string)market["event_ticker"]!;

        Assert.Equal([ticker], await Tickers(exchange, $"markets?tickers={ticker},KXNONE"));
        Assert.Equal(
            markets.Where(other => (string)other!["event_ticker"]! == eventTicker).Select(other => (string)other!["ticker"]!),
            await Tickers(exchange, $"markets?event_ticker={eventTicker}"));
        Assert.All(await Tickers(exchange, "markets?series_ticker=KXBTCD"), found => Assert.StartsWith("KXBTCD-", found, StringComparison.Ordinal));
        Assert.Equal(12, (await Tickers(exchange, "markets?status=open&mve_filter=exclude")).Length);
        Assert.Empty(await Tickers(exchange, "markets?status=settled"));
        Assert.Empty(await Tickers(exchange, "markets?mve_filter=only"));
        Assert.Empty(await Tickers(exchange, "markets?max_close_ts=1000"));
    }

    [Theory]
    [InlineData("markets?limit=abc", "limit")]
    [InlineData("markets?limit=1001", "limit")]
    [InlineData("markets?limit=-1", "limit")]
    [InlineData("markets?status=active", "status")]
    [InlineData("markets?mve_filter=yes", "mve_filter")]
    [InlineData("markets?cursor=%25%25", "cursor")]
    [InlineData("markets?min_close_ts=soon", "min_close_ts")]
    [InlineData("markets?min_close_ts=1&max_created_ts=2", "exclude each other")]
    [InlineData("markets/KXANY/orderbook?depth=101", "depth")]
    public async Task A_bad_parameter_is_a_400_that_names_it_in_the_exchanges_shape(string path, string named)
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var (status, error) = await ErrorAsync(exchange, path);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("bad_request", (string)error["code"]!);
        Assert.Contains(named, (string)error["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("markets/KXNOSUCH")]
    [InlineData("markets/KXNOSUCH/orderbook")]
    [InlineData("nothing/here")]
    public async Task What_does_not_exist_is_a_404_in_the_exchanges_shape(string path)
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var (status, error) = await ErrorAsync(exchange, path);

        Assert.Equal((HttpStatusCode.NotFound, "not_found"), (status, (string)error["code"]!));
    }

    [Fact]
    public async Task A_market_carries_the_field_groups_of_the_exchange()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string ticker = (await exchange.TickersAsync())[0];

        var market = (await exchange.GetAsync($"markets/{ticker}"))["market"]!.AsObject();

        string[] fields =
        [
            "ticker", "event_ticker", "market_type", "title", "yes_sub_title", "no_sub_title", "exchange_index", "status", "result",
            "created_time", "updated_time", "open_time", "close_time", "expected_expiration_time", "latest_expiration_time", "settlement_timer_seconds",
            "yes_bid_dollars", "yes_ask_dollars", "no_bid_dollars", "no_ask_dollars", "last_price_dollars", "previous_price_dollars",
            "previous_yes_bid_dollars", "previous_yes_ask_dollars", "notional_value_dollars", "liquidity_dollars", "yes_bid_size_fp", "yes_ask_size_fp",
            "volume_fp", "volume_24h_fp", "open_interest_fp", "price_level_structure", "price_ranges", "rules_primary", "rules_secondary", "can_close_early",
        ];
        Assert.Empty(fields.Except(market.Select(field => field.Key)));
        Assert.Equal((ticker, "active", "binary"), ((string)market["ticker"]!, (string)market["status"]!, (string)market["market_type"]!));
    }

    [Fact]
    public async Task Recorded_market_objects_have_no_field_that_ours_lack_but_terms_of_one_series()
    {
        string file = Recordings.Require("rest-events-2026-08.jsonl");
        await using var exchange = await MockExchange.StartStillAsync();
        var ours = (await exchange.GetAsync("markets?limit=1"))["markets"]![0]!.AsObject().Select(field => field.Key);

        var theirs = File.ReadLines(file).SelectMany(line => JsonNode.Parse(line)!["markets"]![0]!.AsObject().Select(field => field.Key)).ToHashSet();

        // Set once a market is settled, or a term of that one series.
        string[] absent = ["settlement_ts", "settlement_value_dollars", "custom_strike", "occurrence_datetime"];
        Assert.Equal(absent.Order(StringComparer.Ordinal), theirs.Except(ours).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_book_ascends_with_the_best_bid_last_and_depth_takes_the_best_levels()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string ticker = (await exchange.TickersAsync())[0];

        var whole = (await exchange.GetAsync($"markets/{ticker}/orderbook"))["orderbook_fp"]!;
        var best = (await exchange.GetAsync($"markets/{ticker}/orderbook?depth=2"))["orderbook_fp"]!;

        foreach (string side in new[] { "yes_dollars", "no_dollars" })
        {
            var prices = whole[side]!.AsArray().Select(level => (string)level![0]!).ToList();
            Assert.Equal(prices.Order(StringComparer.Ordinal), prices);
            Assert.Equal(prices[^2..], best[side]!.AsArray().Select(level => (string)level![0]!));
        }
    }

    [Fact]
    public async Task Several_books_come_in_one_answer_and_a_market_that_does_not_exist_is_left_out()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = await exchange.TickersAsync();

        var answer = await exchange.GetAsync($"markets/orderbooks?tickers={tickers[3]}&tickers=KXNOSUCH&tickers={tickers[0]}");

        Assert.Equal([tickers[3], tickers[0]], answer["orderbooks"]!.Texts("ticker"));
        var alone = await exchange.GetAsync($"markets/{tickers[3]}/orderbook");
        Assert.Equal(alone["orderbook_fp"]!.ToJsonString(), answer["orderbooks"]![0]!["orderbook_fp"]!.ToJsonString());
    }

    [Fact]
    public async Task The_exchange_has_a_schedule_without_a_break_and_nothing_to_announce()
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var schedule = (await exchange.GetAsync("exchange/schedule"))["schedule"]!;

        Assert.Empty(schedule["maintenance_windows"]!.AsArray());
        var week = schedule["standard_hours"]![0]!;
        foreach (string day in new[] { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday" })
            Assert.Equal("""[{"open_time":"00:00","close_time":"00:00"}]""", week[day]!.ToJsonString());
        Assert.Equal("""{"announcements":[]}""", await exchange.Http.GetStringAsync("exchange/announcements", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_exchange_is_open_and_healthy()
    {
        await using var exchange = await MockExchange.StartStillAsync();

        Assert.Equal(
            """{"exchange_active":true,"trading_active":true,"exchange_estimated_resume_time":null}""",
            await exchange.Http.GetStringAsync("exchange/status", TestContext.Current.CancellationToken));
        foreach (string path in new[] { "/health", "/alive" })
            Assert.Equal(HttpStatusCode.OK, (await exchange.Http.GetAsync(path, TestContext.Current.CancellationToken)).StatusCode);
    }

    private static async Task<string[]> Tickers(MockExchange exchange, string path) =>
        (await exchange.GetAsync(path))["markets"]!.AsArray().Select(market => (string)market!["ticker"]!).ToArray();

    private static async Task<(HttpStatusCode Status, JsonNode Error)> ErrorAsync(MockExchange exchange, string path)
    {
        var answer = await exchange.Http.GetAsync(path, TestContext.Current.CancellationToken);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        return (answer.StatusCode, body["error"]!);
    }
}
