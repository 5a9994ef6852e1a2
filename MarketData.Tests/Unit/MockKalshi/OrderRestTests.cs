using System.Net;
using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>Order entry over REST, on an exchange where nobody else acts.</summary>
public class OrderRestTests
{
    private const string Orders = "portfolio/orders", BookSideOrders = "portfolio/events/orders";

    [Fact]
    public async Task An_order_moves_the_book_and_a_client_sees_it_arrive_and_go()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var (ticker, price) = await QuotedMarketAsync(exchange);
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(Json($"{{'id':1,'cmd':'subscribe','params':{{'channels':['orderbook_delta'],'market_ticker':'{ticker}'}}}}"));
        await client.ReceiveUntilAsync(frame => frame.Type == "orderbook_snapshot");

        var placed = await PlaceAsync(exchange, $"'ticker':'{ticker}','side':'yes','action':'buy','count_fp':'12.50','yes_price_dollars':'{price}','post_only':true");
        var arrived = (await client.ReceiveUntilAsync(frame => frame.Type == "orderbook_delta"))[^1].Message;
        var canceled = await exchange.DeleteAsync($"{Orders}/{placed["order_id"]}");
        var gone = (await client.ReceiveUntilAsync(frame => frame.Type == "orderbook_delta"))[^1].Message;

        Assert.Equal(("yes", price, "12.50"), ((string)arrived["side"]!, (string)arrived["price_dollars"]!, (string)arrived["delta_fp"]!));
        Assert.Equal(("yes", price, "-12.50"), ((string)gone["side"]!, (string)gone["price_dollars"]!, (string)gone["delta_fp"]!));
        Assert.Equal((HttpStatusCode.OK, "12.50"), (canceled.Status, (string)canceled.Body["reduced_by_fp"]!));
        Assert.Equal(("canceled", "0.00"), ((string)canceled.Body["order"]!["status"]!, (string)canceled.Body["order"]!["remaining_count_fp"]!));
    }

    [Fact]
    public async Task An_order_has_the_fields_of_the_exchange()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var (ticker, price) = await QuotedMarketAsync(exchange);

        var order = await PlaceAsync(exchange, $"'ticker':'{ticker}','side':'yes','action':'buy','count':3,'yes_price_dollars':'{price}','client_order_id':'mine','expiration_ts':4102444800");

        string[] fields =
        [
            "order_id", "user_id", "client_order_id", "ticker", "side", "action", "outcome_side", "book_side", "type", "status", "yes_price_dollars",
            "no_price_dollars", "fill_count_fp", "remaining_count_fp", "initial_count_fp", "taker_fill_cost_dollars", "maker_fill_cost_dollars",
            "taker_fees_dollars", "maker_fees_dollars", "expiration_time", "created_time", "last_update_time", "order_group_id", "cancel_order_on_pause",
            "subaccount_number", "exchange_index",
        ];
        Assert.Equal(fields.Order(StringComparer.Ordinal), order.AsObject().Select(field => field.Key).Order(StringComparer.Ordinal));
        Assert.Equal(("default", "mine", "resting", "2100-01-01T00:00:00Z"), (Text(order, "user_id"), Text(order, "client_order_id"), Text(order, "status"), Text(order, "expiration_time")));
        Assert.Equal(1m, Number(order, "yes_price_dollars") + Number(order, "no_price_dollars"));
        Assert.Equal(order.ToJsonString(), (await exchange.GetAsync($"{Orders}/{order["order_id"]}"))["order"]!.ToJsonString());
    }

    [Theory]
    [InlineData("'side':'yes','action':'buy','yes_price':2", "yes", "bid", "0.0200")]
    [InlineData("'side':'yes','action':'buy','no_price':98", "yes", "bid", "0.0200")]
    [InlineData("'side':'no','action':'sell','no_price_dollars':'0.98'", "yes", "bid", "0.0200")]
    [InlineData("'side':'no','action':'buy','no_price':2", "no", "ask", "0.9800")]
    [InlineData("'side':'no','action':'buy','yes_price_dollars':'0.98'", "no", "ask", "0.9800")]
    [InlineData("'side':'yes','action':'sell','yes_price':98,'yes_price_dollars':'0.9800'", "no", "ask", "0.9800")]
    public async Task Outcome_and_action_say_which_side_of_the_book_and_either_price_will_do(string form, string outcome, string bookSide, string yesPrice)
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var (ticker, _) = await QuotedMarketAsync(exchange);

        var order = await PlaceAsync(exchange, $"'ticker':'{ticker}','count':1,{form}");

        Assert.Equal((outcome, bookSide, yesPrice), (Text(order, "outcome_side"), Text(order, "book_side"), Text(order, "yes_price_dollars")));
        Assert.Equal("resting", Text(order, "status"));
    }

    [Fact]
    public async Task What_trades_is_in_the_order_the_trades_and_the_average_price()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var (ticker, price) = await QuotedMarketAsync(exchange);
        var maker = await PlaceAsync(exchange, $"'ticker':'{ticker}','side':'yes','action':'buy','count_fp':'4.00','yes_price_dollars':'{price}'");
        decimal resting = await SizeAtAsync(exchange, ticker, price);

        var taker = await exchange.PostAsync(
            BookSideOrders, Json($"{{'ticker':'{ticker}','side':'ask','count':'{resting:F2}','price':'{price}','time_in_force':'immediate_or_cancel','self_trade_prevention_type':'maker'}}"));
        var made = (await exchange.GetAsync($"{Orders}/{maker["order_id"]}"))["order"]!;
        var trades = (await exchange.GetAsync($"markets/trades?ticker={ticker}"))["trades"]!;

        Assert.Equal(HttpStatusCode.Created, taker.Status);
        Assert.Equal((resting, 0m), (Number(taker.Body, "fill_count"), Number(taker.Body, "remaining_count")));
        Assert.Equal(decimal.Parse(price, Invariant), Number(taker.Body, "average_fill_price"));
        Assert.Equal("executed", Text(made, "status"));
        Assert.Equal((4 * decimal.Parse(price, Invariant), 0m), (Number(made, "maker_fill_cost_dollars"), Number(made, "taker_fill_cost_dollars")));
        Assert.Equal(resting, trades.AsArray().Sum(trade => Number(trade!, "count_fp")));
        string[] fields = ["trade_id", "ticker", "count_fp", "yes_price_dollars", "no_price_dollars", "taker_side", "taker_outcome_side", "taker_book_side", "created_time", "is_block_trade"];
        Assert.All(trades.AsArray(), trade =>
        {
            Assert.Equal(fields.Order(StringComparer.Ordinal), trade!.AsObject().Select(field => field.Key).Order(StringComparer.Ordinal));
            Assert.Equal((ticker, "no", "ask", price), (Text(trade!, "ticker"), Text(trade!, "taker_outcome_side"), Text(trade!, "taker_book_side"), Text(trade!, "yes_price_dollars")));
        });
    }

    [Fact]
    public async Task A_market_order_takes_what_there_is_at_any_price()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var (ticker, _) = await QuotedMarketAsync(exchange);
        var levels = (await exchange.GetAsync($"markets/{ticker}/orderbook"))["orderbook_fp"]!["no_dollars"]!.AsArray();

        var order = await PlaceAsync(exchange, $"'ticker':'{ticker}','side':'yes','action':'buy','type':'market','count':1000000");

        Assert.Equal(levels.Sum(level => decimal.Parse((string)level![1]!, Invariant)), Number(order, "fill_count_fp"));
        Assert.Equal(("canceled", "0.00"), (Text(order, "status"), Text(order, "remaining_count_fp")));
        Assert.Empty((await exchange.GetAsync($"markets/{ticker}/orderbook"))["orderbook_fp"]!["no_dollars"]!.AsArray());
    }

    [Fact]
    public async Task Trades_are_listed_newest_first_in_pages_and_by_time()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var (ticker, _) = await QuotedMarketAsync(exchange);
        for (int i = 1; i <= 5; i++)
            await PlaceAsync(exchange, $"'ticker':'{ticker}','side':'yes','action':'buy','type':'market','count_fp':'0.0{i}'");

        var sizes = new List<string>();
        string cursor = "";
        do
        {
            var page = await exchange.GetAsync($"markets/trades?ticker={ticker}&limit=2&cursor={cursor}");
            sizes.AddRange(page["trades"]!.Texts("count_fp"));
            cursor = (string)page["cursor"]!;
        }
        while (cursor.Length > 0);

        Assert.Equal(["0.05", "0.04", "0.03", "0.02", "0.01"], sizes);
        Assert.Equal(5, (await exchange.GetAsync("markets/trades?min_ts=1"))["trades"]!.AsArray().Count);
        Assert.Empty((await exchange.GetAsync("markets/trades?max_ts=1"))["trades"]!.AsArray());
        Assert.Empty((await exchange.GetAsync("markets/trades?ticker=KXNOSUCH"))["trades"]!.AsArray());
        Assert.Empty((await exchange.GetAsync("markets/trades?is_block_trade=true"))["trades"]!.AsArray());
        Assert.Equal(5, (await exchange.GetAsync("markets/trades?is_block_trade=false"))["trades"]!.AsArray().Count);
    }

    [Fact]
    public async Task Orders_are_listed_newest_first_in_pages_and_by_every_filter()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = await exchange.TickersAsync();
        string first = tickers.First(ticker => ticker.StartsWith("KXBTCD-", StringComparison.Ordinal)), other = tickers.First(ticker => !ticker.StartsWith("KXBTCD-", StringComparison.Ordinal));
        string eventTicker = (string)(await exchange.GetAsync($"markets/{first}"))["market"]!["event_ticker"]!;
        foreach (string name in new[] { "a", "b", "c" }) await PlaceAsync(exchange, Bid(first, name));
        var last = await PlaceAsync(exchange, Bid(other, "d"));
        await exchange.DeleteAsync($"{BookSideOrders}/{last["order_id"]}");

        var paged = new List<string>();
        string cursor = "";
        do
        {
            var page = await exchange.GetAsync($"{Orders}?limit=3&cursor={cursor}");
            paged.AddRange(page["orders"]!.Texts("client_order_id"));
            cursor = (string)page["cursor"]!;
        }
        while (cursor.Length > 0);

        Assert.Equal(["d", "c", "b", "a"], paged);
        Assert.Equal(["d"], await NamesAsync(exchange, $"ticker={other}"));
        Assert.Equal(["c", "b", "a"], await NamesAsync(exchange, "status=resting"));
        Assert.Equal(["d"], await NamesAsync(exchange, "status=canceled"));
        Assert.Empty(await NamesAsync(exchange, "status=executed"));
        Assert.Equal(["c", "b", "a"], await NamesAsync(exchange, $"event_ticker={eventTicker},KXNOSUCH"));
        Assert.Empty(await NamesAsync(exchange, "event_ticker=KXNOSUCH"));
        Assert.Equal(["d", "c", "b", "a"], await NamesAsync(exchange, "min_ts=1&subaccount=0&exchange_index=0"));
        Assert.Empty(await NamesAsync(exchange, "max_ts=1"));
    }

    [Fact]
    public async Task Every_refusal_has_its_status_and_code_and_changes_nothing()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var (ticker, _) = await QuotedMarketAsync(exchange);
        var placed = await PlaceAsync(exchange, Bid(ticker, "mine"));
        string book = (await exchange.GetAsync($"markets/{ticker}/orderbook")).ToJsonString();

        Assert.Equal((HttpStatusCode.Conflict, "order_already_exists", null), await RefusalAsync(exchange, Bid(ticker, "mine")));
        Assert.Equal((HttpStatusCode.NotFound, "not_found", null), await RefusalAsync(exchange, Bid("KXNOSUCH", "x")));
        Assert.Equal(
            (HttpStatusCode.BadRequest, "invalid_price", null),
            await RefusalAsync(exchange, $"'ticker':'{ticker}','side':'yes','action':'buy','count':1,'yes_price_dollars':'0.5001'"));
        Assert.Equal(
            (HttpStatusCode.BadRequest, "invalid_order", "post only cross"),
            await RefusalAsync(exchange, $"'ticker':'{ticker}','side':'yes','action':'buy','count':1,'yes_price':99,'post_only':true"));
        Assert.Equal(
            (HttpStatusCode.Conflict, "fill_or_kill_insufficient_resting_volume", null),
            await RefusalAsync(exchange, $"'ticker':'{ticker}','side':'yes','action':'buy','count':9999999,'yes_price':99,'time_in_force':'fill_or_kill'"));
        Assert.Equal(book, (await exchange.GetAsync($"markets/{ticker}/orderbook")).ToJsonString());

        await exchange.DeleteAsync($"{Orders}/{placed["order_id"]}");
        var again = await exchange.DeleteAsync($"{Orders}/{placed["order_id"]}");
        Assert.Equal((HttpStatusCode.NotFound, $"order is no longer resting: {placed["order_id"]}"), (again.Status, again.Message));
    }

    [Fact]
    public async Task A_market_that_has_closed_takes_no_orders()
    {
        await using var exchange = await MockExchange.StartStillAsync("--Simulation:ShortMarketLife", "00:00:01");
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(Json("{'id':1,'cmd':'subscribe','params':{'channels':['market_lifecycle_v2']}}"));

        var determined = (await client.ReceiveUntilAsync(frame => (string?)frame.Message["event_type"] == "determined"))[^1];

        Assert.Equal((HttpStatusCode.Conflict, "market_closed", null), await RefusalAsync(exchange, Bid(determined.Ticker!, "late")));
    }

    [Fact]
    public async Task Portfolio_calls_that_nobody_signed_are_401_and_market_data_stays_open()
    {
        var keys = Directory.CreateTempSubdirectory("mock-kalshi-keys-");
        try
        {
            await using var exchange = await MockExchange.StartStillAsync("--keys", keys.FullName);

            var answer = await exchange.PostAsync(Orders, "{}");

            Assert.Equal((HttpStatusCode.Unauthorized, "authentication_error"), (answer.Status, Text(answer.Body, "code")));
            Assert.Equal(HttpStatusCode.Unauthorized, (await exchange.AskAsync(Orders)).Status);
            Assert.Equal(HttpStatusCode.OK, (await exchange.AskAsync("markets")).Status);
        }
        finally
        {
            keys.Delete(recursive: true);
        }
    }

    private static IFormatProvider Invariant => System.Globalization.CultureInfo.InvariantCulture;

    private static string Bid(string ticker, string name) => $"'ticker':'{ticker}','side':'yes','action':'buy','count':1,'yes_price':1,'client_order_id':'{name}'";

    /// <summary>A market with bids on both sides, and its best YES bid.</summary>
    private static async Task<(string Ticker, string Price)> QuotedMarketAsync(MockExchange exchange)
    {
        var market = (await exchange.GetAsync("markets?series_ticker=KXBTCD"))["markets"]!.AsArray()
            .First(market => Number(market!, "yes_bid_dollars") > 0.05m && Number(market!, "no_bid_dollars") > 0.05m)!;
        return (Text(market, "ticker")!, Text(market, "yes_bid_dollars")!);
    }

    private static async Task<JsonNode> PlaceAsync(MockExchange exchange, string fields)
    {
        var answer = await exchange.PostAsync(Orders, Json($"{{{fields}}}"));
        Assert.True(answer.Status == HttpStatusCode.Created, answer.Body.ToJsonString());
        return answer.Body["order"]!;
    }

    private static async Task<(HttpStatusCode, string?, string?)> RefusalAsync(MockExchange exchange, string fields)
    {
        var answer = await exchange.PostAsync(Orders, Json($"{{{fields}}}"));
        return (answer.Status, answer.Code, (string?)answer.Body["error"]!["details"]);
    }

    private static async Task<decimal> SizeAtAsync(MockExchange exchange, string ticker, string price)
    {
        var levels = (await exchange.GetAsync($"markets/{ticker}/orderbook"))["orderbook_fp"]!["yes_dollars"]!.AsArray();
        return decimal.Parse((string)levels.Single(level => (string)level![0]! == price)![1]!, Invariant);
    }

    private static async Task<string[]> NamesAsync(MockExchange exchange, string query) =>
        (await exchange.GetAsync($"{Orders}?{query}"))["orders"]!.Texts("client_order_id");

    private static string? Text(JsonNode node, string field) => (string?)node[field];

    private static decimal Number(JsonNode node, string field) => decimal.Parse((string)node[field]!, Invariant);

    private static string Json(string text) => text.Replace('\'', '"');
}
