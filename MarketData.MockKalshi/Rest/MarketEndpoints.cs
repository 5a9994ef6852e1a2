using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Rest;

/// <summary>Markets, their books and their trades.</summary>
internal static class MarketEndpoints
{
    private const int MaxDepth = 100, MaxBooks = 100, DefaultTrades = 100, MaxTrades = 1000;

    public static void MapMarkets(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/markets", ListAsync);
        endpoints.MapGet("/markets/{ticker}", GetAsync);
        endpoints.MapGet("/markets/{ticker}/orderbook", GetBookAsync);
        endpoints.MapGet("/markets/orderbooks", GetBooksAsync);
        endpoints.MapGet("/markets/trades", ListTradesAsync);
    }

    private static async Task ListAsync(HttpContext context, IExchange exchange)
    {
        var query = MarketQuery.Parse(new RestQuery(context.Request.Query));
        // One more than asked for tells whether another page follows.
        var markets = await exchange.ListMarketsAsync(query.Filter, query.After, query.Limit + 1, context.RequestAborted);
        int count = Math.Min(markets.Count, query.Limit);

        await using var json = JsonAnswer.Begin(context);
        json.WriteStartObject();
        json.WriteString("cursor", markets.Count > count ? RestQuery.CursorAfter(markets[count - 1].Definition.Ticker) : "");
        json.WriteStartArray("markets");
        for (int i = 0; i < count; i++) MarketJson.WriteMarket(json, markets[i]);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static async Task GetAsync(HttpContext context, IExchange exchange, string ticker)
    {
        if (await exchange.FindMarketAsync(ticker, context.RequestAborted) is not { } market)
        {
            await NotFoundAsync(context, ticker);
            return;
        }

        await using var json = JsonAnswer.Begin(context);
        json.WriteStartObject();
        json.WritePropertyName("market");
        MarketJson.WriteMarket(json, market);
        json.WriteEndObject();
    }

    private static async Task GetBookAsync(HttpContext context, IExchange exchange, string ticker)
    {
        int depth = new RestQuery(context.Request.Query).Bounded("depth", MaxDepth);
        if (await exchange.ReadBookAsync(ticker, context.RequestAborted) is not { } book)
        {
            await NotFoundAsync(context, ticker);
            return;
        }

        await using var json = JsonAnswer.Begin(context);
        json.WriteStartObject();
        json.WritePropertyName("orderbook_fp");
        MarketJson.WriteBook(json, book, depth);
        json.WriteEndObject();
    }

    /// <summary>An unknown market is left out, as <c>GET /markets?tickers=</c> does: one that ended must not cost a client the others.</summary>
    private static async Task GetBooksAsync(HttpContext context, IExchange exchange)
    {
        if (new RestQuery(context.Request.Query).List("tickers") is not { Count: > 0 } tickers)
            throw new BadRequestException("tickers is required: tickers=A&tickers=B", BadRequestException.Missing);
        if (tickers.Count > MaxBooks) throw new BadRequestException($"tickers must be at most {MaxBooks}, not {tickers.Count}");

        var books = new List<(string Ticker, BookView Book)>();
        foreach (string ticker in tickers.Distinct(StringComparer.Ordinal))
            if (await exchange.ReadBookAsync(ticker, context.RequestAborted) is { } book) books.Add((ticker, book));

        await using var json = JsonAnswer.Begin(context);
        json.WriteStartObject();
        json.WriteStartArray("orderbooks");
        foreach (var (ticker, book) in books)
        {
            json.WriteStartObject();
            json.WriteString("ticker", ticker);
            json.WritePropertyName("orderbook_fp");
            MarketJson.WriteBook(json, book, depth: 0);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static async Task ListTradesAsync(HttpContext context, IExchange exchange)
    {
        var query = new RestQuery(context.Request.Query);
        var filter = new TradeFilter(query.Text("ticker"), query.Interval("min_ts", "max_ts"));
        int limit = query.Limit(DefaultTrades, MaxTrades);
        var before = query.IdCursor();
        // There are no block trades here: asking for them alone finds nothing.
        IReadOnlyList<TradeView> trades = query.Flag("is_block_trade") == true
            ? []
            : await exchange.ListTradesAsync(filter, before, limit + 1, context.RequestAborted);
        int count = Math.Min(trades.Count, limit);

        await using var json = JsonAnswer.Begin(context);
        json.WriteStartObject();
        json.WriteString("cursor", trades.Count > count ? RestQuery.CursorAfter(trades[count - 1].Print.Id.ToString()) : "");
        json.WriteStartArray("trades");
        for (int i = 0; i < count; i++) MarketJson.WriteTrade(json, trades[i]);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static Task NotFoundAsync(HttpContext context, string ticker) =>
        RestError.WriteAsync(context, StatusCodes.Status404NotFound, "not_found", $"market not found: {ticker}");
}
