using System.Text.Encodings.Web;
using System.Text.Json;
using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Protocol;

/// <summary>The REST calls that market data needs (protocol reference, section 3).</summary>
internal static class RestEndpoints
{
    private const int MaxDepth = 100;

    // As the exchange writes: text such as a middle dot or an apostrophe stays as it is.
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void MapRest(this IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup("/trade-api/v2");
        api.AddEndpointFilter(AnswerBadQueriesAsync);
        api.MapGet("/exchange/status", StatusAsync);
        api.MapGet("/markets", ListMarketsAsync);
        api.MapGet("/markets/{ticker}", GetMarketAsync);
        api.MapGet("/markets/{ticker}/orderbook", GetBookAsync);
        api.MapFallback(context => RestError.WriteAsync(
            context, StatusCodes.Status404NotFound, "not_found", $"no such resource: {context.Request.Method} {context.Request.Path}"));
    }

    private static async ValueTask<object?> AnswerBadQueriesAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        try
        {
            return await next(invocation);
        }
        catch (BadQueryException exception)
        {
            await RestError.WriteAsync(invocation.HttpContext, StatusCodes.Status400BadRequest, "bad_request", exception.Message);
            return Results.Empty;
        }
    }

    private static async Task StatusAsync(HttpContext context)
    {
        await using var json = Begin(context);
        json.WriteStartObject();
        json.WriteBoolean("exchange_active", true);
        json.WriteBoolean("trading_active", true);
        json.WriteNull("exchange_estimated_resume_time");
        json.WriteEndObject();
    }

    private static async Task ListMarketsAsync(HttpContext context, IExchange exchange)
    {
        var query = MarketQuery.Parse(context.Request.Query);
        // One more than asked for tells whether another page follows.
        var markets = await exchange.ListMarketsAsync(query.Filter, query.After, query.Limit + 1, context.RequestAborted);
        int count = Math.Min(markets.Count, query.Limit);

        await using var json = Begin(context);
        json.WriteStartObject();
        json.WriteString("cursor", markets.Count > count ? MarketQuery.CursorAfter(markets[count - 1].Definition.Ticker) : "");
        json.WriteStartArray("markets");
        for (int i = 0; i < count; i++) MarketJson.WriteMarket(json, markets[i]);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static async Task GetMarketAsync(HttpContext context, IExchange exchange, string ticker)
    {
        if (await exchange.FindMarketAsync(ticker, context.RequestAborted) is not { } market)
        {
            await MarketNotFoundAsync(context, ticker);
            return;
        }

        await using var json = Begin(context);
        json.WriteStartObject();
        json.WritePropertyName("market");
        MarketJson.WriteMarket(json, market);
        json.WriteEndObject();
    }

    private static async Task GetBookAsync(HttpContext context, IExchange exchange, string ticker)
    {
        int depth = MarketQuery.Bounded(context.Request.Query, "depth", MaxDepth);
        if (await exchange.ReadBookAsync(ticker, context.RequestAborted) is not { } book)
        {
            await MarketNotFoundAsync(context, ticker);
            return;
        }

        await using var json = Begin(context);
        json.WriteStartObject();
        json.WritePropertyName("orderbook_fp");
        MarketJson.WriteBook(json, book, depth);
        json.WriteEndObject();
    }

    private static Task MarketNotFoundAsync(HttpContext context, string ticker) =>
        RestError.WriteAsync(context, StatusCodes.Status404NotFound, "not_found", $"market not found: {ticker}");

    private static Utf8JsonWriter Begin(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        return new Utf8JsonWriter(context.Response.BodyWriter, WriterOptions);
    }
}
