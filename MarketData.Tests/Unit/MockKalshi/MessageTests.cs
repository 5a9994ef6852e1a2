using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>The fields of data frames (protocol reference, section 1.8): present, and of the type and form that clients rely on.</summary>
public class MessageTests
{
    private const string Price = "price", SignedCount = "signed count", Count = "count", Uuid = "uuid", Text = "text", Integer = "integer";
    private const string Seconds = "seconds", Milliseconds = "milliseconds", Time = "RFC 3339", Outcome = "yes or no", Flag = "flag";

    [Fact]
    public async Task Orderbook_snapshot()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        var snapshot = (await CommandTests.SubscribeToBooksAsync(client, (await exchange.TickersAsync())[0]))[1];

        Check(snapshot.Message, ("market_ticker", Text), ("market_id", Uuid));
        foreach (string side in new[] { "yes_dollars_fp", "no_dollars_fp" })
        {
            var levels = snapshot.Message[side]!.AsArray();
            Assert.NotEmpty(levels);
            Assert.All(levels, level => Assert.Equal((true, true), (IsA(level![0]!, Price), IsA(level[1]!, Count))));
            // Ascending, best bid last.
            string[] prices = levels.Select(level => (string)level![0]!).ToArray();
            Assert.Equal(prices.Order(StringComparer.Ordinal), prices);
        }
    }

    [Fact]
    public async Task Orderbook_delta()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "500", "--markets", "4");
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, await exchange.TickersAsync()));

        foreach (var delta in (await client.ReceiveAsync(200)).Where(frame => frame.Type == "orderbook_delta"))
        {
            Check(
                delta.Message, ("market_ticker", Text), ("market_id", Uuid), ("price_dollars", Price), ("delta_fp", SignedCount), ("side", Outcome),
                ("ts", Time), ("ts_ms", Milliseconds));
            Assert.Null(delta.Message["client_order_id"]);
        }
    }

    [Fact]
    public async Task Ticker()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["ticker"],"send_initial_snapshot":true}}""");

        var ticker = (await client.ReceiveAsync(2))[1];

        Check(
            ticker.Message, ("market_ticker", Text), ("market_id", Uuid), ("price_dollars", Price), ("yes_bid_dollars", Price), ("yes_ask_dollars", Price),
            ("yes_bid_size_fp", Count), ("yes_ask_size_fp", Count), ("last_trade_size_fp", Count), ("volume_fp", Count), ("open_interest_fp", Count),
            ("dollar_volume", Integer), ("dollar_open_interest", Integer), ("ts_ms", Milliseconds), ("ts", Seconds), ("time", Time));
        Assert.Equal("0.0000", (string)ticker.Message["price_dollars"]!);
    }

    [Fact]
    public async Task Trade()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "2000", "--markets", "4");
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["trade"]}}""");

        foreach (var trade in (await client.ReceiveAsync(50)).Where(frame => frame.Type == "trade"))
        {
            Check(
                trade.Message, ("trade_id", Uuid), ("market_ticker", Text), ("yes_price_dollars", Price), ("no_price_dollars", Price), ("count_fp", Count),
                ("taker_side", Outcome), ("taker_outcome_side", Outcome), ("ts_ms", Milliseconds), ("ts", Seconds));
            bool yes = (string)trade.Message["taker_outcome_side"]! == "yes";
            Assert.Equal((yes ? "yes" : "no", yes ? "bid" : "ask"), ((string)trade.Message["taker_side"]!, (string)trade.Message["taker_book_side"]!));
            Assert.Null(trade.Message["market_id"]);
        }
    }

    [Fact]
    public async Task Life_cycle_of_a_market_and_its_event()
    {
        await using var exchange = await MockExchange.StartStillAsync("--Simulation:ShortMarketLife", "00:00:01");
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"]}}""");
        // Which comes first depends on when the client came.
        var missing = new HashSet<string> { "event_lifecycle", "created", "metadata_updated", "activated", "determined", "settled" };
        var frames = await client.ReceiveUntilAsync(frame =>
        {
            missing.Remove(frame.Type == "market_lifecycle_v2" ? (string)frame.Message["event_type"]! : frame.Type);
            return missing.Count == 0;
        });

        Check(
            frames.First(frame => frame.Type == "event_lifecycle").Message, ("event_ticker", Text), ("title", Text), ("subtitle", Text),
            ("collateral_return_type", Text), ("series_ticker", Text), ("exchange_index", Integer), ("strike_date", Seconds));
        var created = Of("created");
        Check(
            created, ("market_ticker", Text), ("open_ts", Seconds), ("close_ts", Seconds), ("exchange_index", Integer), ("price_level_structure", Text));
        Assert.All(
            created["price_ranges"]!.AsArray(),
            range => Assert.Equal((true, true, true), (IsA(range!["start"]!, Price), IsA(range["end"]!, Price), IsA(range["step"]!, Price))));
        Check(
            created["additional_metadata"]!, ("name", Text), ("title", Text), ("yes_sub_title", Text), ("no_sub_title", Text), ("rules_primary", Text),
            ("rules_secondary", Text), ("can_close_early", Flag), ("event_ticker", Text), ("expected_expiration_ts", Seconds));
        // The strike is known when the market opens.
        Check(Of("metadata_updated"), ("market_ticker", Text), ("strike_type", Text), ("yes_sub_title", Text));
        Check(Of("activated"), ("market_ticker", Text), ("is_deactivated", Flag));
        Check(Of("determined"), ("market_ticker", Text), ("determination_ts", Seconds), ("result", Outcome), ("settlement_value", Price));
        Check(Of("settled"), ("market_ticker", Text), ("settled_ts", Seconds));

        JsonNode Of(string eventType) =>
            frames.First(frame => frame.Type == "market_lifecycle_v2" && (string)frame.Message["event_type"]! == eventType).Message;
    }

    private static void Check(JsonNode message, params (string Name, string Form)[] fields)
    {
        foreach (var (name, form) in fields)
            Assert.True(message[name] is { } value && IsA(value, form), $"{name} is {message[name]?.ToJsonString() ?? "absent"} and should be {form}");
    }

    private static bool IsA(JsonNode value, string form) => (value.GetValueKind(), form) switch
    {
        (JsonValueKind.String, Price) => Matches(value, @"^[01]\.\d{4}$"),
        (JsonValueKind.String, Count) => Matches(value, @"^\d+\.\d{2}$"),
        (JsonValueKind.String, SignedCount) => Matches(value, @"^-?\d+\.\d{2}$") && (string)value! != "0.00",
        (JsonValueKind.String, Uuid) => Guid.TryParseExact((string)value!, "D", out _),
        (JsonValueKind.String, Time) => DateTimeOffset.TryParseExact((string)value!, "yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        (JsonValueKind.String, Outcome) => (string)value! is "yes" or "no",
        (JsonValueKind.String, Text) => true,
        (JsonValueKind.Number, Integer) => value.GetValue<long>() >= 0,
        (JsonValueKind.Number, Seconds) => value.GetValue<long>() is > 1_000_000_000 and < 100_000_000_000,
        (JsonValueKind.Number, Milliseconds) => value.GetValue<long>() > 1_000_000_000_000,
        (JsonValueKind.True or JsonValueKind.False, Flag) => true,
        _ => false,
    };

    private static bool Matches(JsonNode value, string pattern) => System.Text.RegularExpressions.Regex.IsMatch((string)value!, pattern);
}
