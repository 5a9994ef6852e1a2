using System.Net;
using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>Events and series over REST (protocol reference, section 3).</summary>
public class RestEventTests
{
    [Fact]
    public async Task Events_are_what_their_markets_make_up_and_pages_cover_each_once()
    {
        await using var exchange = await MockExchange.StartStillAsync("--markets", "60");
        var markets = (await exchange.GetAsync("markets?limit=1000"))["markets"]!;
        var tickers = new List<string>();
        string cursor = "";
        do
        {
            var page = await exchange.GetAsync($"events?limit=4&cursor={cursor}");
            Assert.All(page["events"]!.AsArray(), found => Assert.Null(found!["markets"]));
            tickers.AddRange(page["events"]!.Texts("event_ticker"));
            cursor = (string)page["cursor"]!;
        }
        while (cursor.Length > 0);

        Assert.True(tickers.Count > 4, $"{tickers.Count} events");
        Assert.Equal(markets.Texts("event_ticker").Distinct().Order(StringComparer.Ordinal), tickers);
    }

    [Fact]
    public async Task An_event_has_its_markets_beside_it_or_inside_it()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string ticker = (string)(await exchange.GetAsync("markets?series_ticker=KXBTCD"))["markets"]![0]!["event_ticker"]!;
        string[] markets = (await exchange.GetAsync($"markets?event_ticker={ticker}"))["markets"]!.Texts("ticker");

        var beside = await exchange.GetAsync($"events/{ticker}");
        var inside = await exchange.GetAsync($"events/{ticker}?with_nested_markets=true");

        Assert.Equal((ticker, "KXBTCD"), ((string)beside["event"]!["event_ticker"]!, (string)beside["event"]!["series_ticker"]!));
        Assert.Equal(markets, beside["markets"]!.Texts("ticker"));
        Assert.Null(beside["event"]!["markets"]);
        Assert.Equal(markets, inside["event"]!["markets"]!.Texts("ticker"));
        Assert.Null(inside["markets"]);
    }

    [Fact]
    public async Task Recorded_event_objects_have_no_field_that_ours_lack()
    {
        string file = Recordings.Require("rest-events-2026-08.jsonl");
        await using var exchange = await MockExchange.StartStillAsync();
        var ours = (await exchange.GetAsync("events?limit=1"))["events"]![0]!.AsObject().Select(field => field.Key);

        var theirs = File.ReadLines(file).SelectMany(line => JsonNode.Parse(line)!["event"]!.AsObject().Select(field => field.Key)).ToHashSet();

        Assert.Empty(theirs.Except(ours));
    }

    [Fact]
    public async Task Filters_select_events_by_ticker_series_status_and_close()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] all = await Events(exchange, "events");

        Assert.Equal([all[1]], await Events(exchange, $"events?tickers={all[1]},KXNONE"));
        Assert.Equal(all.Where(ticker => ticker.StartsWith("KXBTCD-", StringComparison.Ordinal)), await Events(exchange, "events?series_ticker=KXBTCD"));
        Assert.Equal(all, await Events(exchange, "events?status=open"));
        Assert.Empty(await Events(exchange, "events?status=settled"));
        Assert.Equal(all, await Events(exchange, "events?min_close_ts=1"));
        Assert.Empty(await Events(exchange, "events?min_close_ts=99999999999"));
        Assert.Empty(await Events(exchange, "events?min_updated_ts=99999999999"));
    }

    [Fact]
    public async Task Events_carry_their_markets_when_asked_for_and_milestones_are_none()
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var page = await exchange.GetAsync("events?with_nested_markets=true&with_milestones=true");

        Assert.Equal(await exchange.TickersAsync(), page["events"]!.AsArray().SelectMany(found => found!["markets"]!.Texts("ticker")).Order(StringComparer.Ordinal));
        Assert.Empty(page["milestones"]!.AsArray());
    }

    [Fact]
    public async Task Series_are_listed_once_each_and_one_can_be_asked_for()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var markets = (await exchange.GetAsync("markets"))["markets"]!.Texts("ticker");

        var list = (await exchange.GetAsync("series?include_volume=true"))["series"]!;
        var one = (await exchange.GetAsync("series/KXBTCD"))["series"]!;

        Assert.Equal(markets.Select(ticker => ticker.Split('-')[0]).Distinct().Order(StringComparer.Ordinal), list.Texts("ticker"));
        Assert.All(list.AsArray(), series => Assert.Equal("0.00", (string)series!["volume_fp"]!));
        Assert.Equal("KXBTCD", (string)one["ticker"]!);
        string[] fields = ["title", "frequency", "category", "categories", "tags", "settlement_sources", "contract_url", "contract_terms_url", "fee_type", "fee_multiplier", "additional_prohibitions"];
        Assert.Empty(fields.Except(one.AsObject().Select(field => field.Key)));
        Assert.Null(one["volume_fp"]);
    }

    [Theory]
    [InlineData("category=Simulated", true)]
    [InlineData("category=Sports", false)]
    [InlineData("tags=Weather", false)]
    [InlineData("min_updated_ts=1", false)]
    public async Task Series_can_be_filtered(string query, bool any)
    {
        await using var exchange = await MockExchange.StartStillAsync();

        Assert.Equal(any, (await exchange.GetAsync($"series?{query}"))["series"]!.AsArray().Count > 0);
    }

    [Theory]
    [InlineData("events/KXNOSUCH")]
    [InlineData("series/KXNOSUCH")]
    public async Task What_does_not_exist_is_a_404_that_names_it(string path)
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var answer = await exchange.AskAsync(path);

        Assert.Equal((HttpStatusCode.NotFound, "not_found"), (answer.Status, answer.Code));
        Assert.Contains("KXNOSUCH", answer.Message, StringComparison.Ordinal);
    }

    private static async Task<string[]> Events(MockExchange exchange, string path) => (await exchange.GetAsync(path))["events"]!.Texts("event_ticker");
}
