using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Rest;

/// <summary>Events and series, as the markets there are make them up.</summary>
internal static class EventEndpoints
{
    private const int MaxLimit = 200;

    public static void MapEvents(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/events", ListAsync);
        endpoints.MapGet("/events/{ticker}", GetAsync);
        endpoints.MapGet("/series", ListSeriesAsync);
        endpoints.MapGet("/series/{ticker}", GetSeriesAsync);
    }

    /// <summary>All but combinations. A filter on markets selects the events that have at least one such market.</summary>
    private static async Task ListAsync(HttpContext context, IExchange exchange)
    {
        var query = new RestQuery(context.Request.Query);
        int limit = query.Limit(MaxLimit, MaxLimit);
        string? after = query.Cursor();
        bool withMarkets = query.Flag("with_nested_markets") ?? false, withMilestones = query.Flag("with_milestones") ?? false;
        var tickers = query.List("tickers");
        var having = new MarketFilter
        {
            Statuses = MarketQuery.Statuses(query),
            Close = new TimeInterval(query.Integer("min_close_ts"), null),
            MinUpdated = query.Integer("min_updated_ts"),
        };
        var scope = new MarketFilter { SeriesTicker = query.Text("series_ticker"), Multivariate = false };

        // One more than asked for tells whether another page follows.
        var page = (await EventView.ListAsync(exchange, scope, context.RequestAborted))
            .Where(found => after is null || string.CompareOrdinal(found.Ticker, after) > 0)
            .Where(found => tickers is null || tickers.Contains(found.Ticker))
            .Where(found => found.Markets.Any(having.Matches))
            .Take(limit + 1).ToList();

        await using var json = JsonAnswer.Begin(context);
        json.WriteStartObject();
        json.WriteString("cursor", page.Count > limit ? RestQuery.CursorAfter(page[limit - 1].Ticker) : "");
        json.WriteStartArray("events");
        foreach (var found in page.Take(limit)) EventJson.WriteEvent(json, found, withMarkets);
        json.WriteEndArray();
        if (withMilestones)
        {
            json.WriteStartArray("milestones");
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    /// <summary>The markets stand beside the event, or inside it when that is asked for.</summary>
    private static async Task GetAsync(HttpContext context, IExchange exchange, string ticker)
    {
        bool nested = new RestQuery(context.Request.Query).Flag("with_nested_markets") ?? false;
        if (await EventView.ListAsync(exchange, new MarketFilter { EventTicker = ticker }, context.RequestAborted) is not [var found])
        {
            await RestError.WriteAsync(context, StatusCodes.Status404NotFound, "not_found", $"event not found: {ticker}");
            return;
        }

        await using var json = JsonAnswer.Begin(context);
        json.WriteStartObject();
        json.WritePropertyName("event");
        EventJson.WriteEvent(json, found, nested);
        if (!nested) EventJson.WriteMarkets(json, found.Markets);
        json.WriteEndObject();
    }

    private static async Task ListSeriesAsync(HttpContext context, IExchange exchange)
    {
        var query = new RestQuery(context.Request.Query);
        bool withVolume = query.Flag("include_volume") ?? false;
        query.Flag("include_product_metadata");
        // No series has tags or was ever updated, so that asking for either finds none.
        bool none = query.Text("category") is not (null or EventJson.Category) || query.Text("tags") is not null || query.Integer("min_updated_ts") > 0;
        var events = none ? [] : await EventView.ListAsync(exchange, new MarketFilter(), context.RequestAborted);

        await using var json = JsonAnswer.Begin(context);
        json.WriteStartObject();
        json.WriteStartArray("series");
        foreach (var series in events.GroupBy(found => found.Definition.SeriesTicker).OrderBy(series => series.Key, StringComparer.Ordinal))
            EventJson.WriteSeries(json, series.Key, withVolume ? Volume(series) : null);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static async Task GetSeriesAsync(HttpContext context, IExchange exchange, string ticker)
    {
        bool withVolume = new RestQuery(context.Request.Query).Flag("include_volume") ?? false;
        var events = await EventView.ListAsync(exchange, new MarketFilter { SeriesTicker = ticker }, context.RequestAborted);
        if (events.Count == 0)
        {
            await RestError.WriteAsync(context, StatusCodes.Status404NotFound, "not_found", $"series not found: {ticker}");
            return;
        }

        await using var json = JsonAnswer.Begin(context);
        json.WriteStartObject();
        json.WritePropertyName("series");
        EventJson.WriteSeries(json, ticker, withVolume ? Volume(events) : null);
        json.WriteEndObject();
    }

    private static long Volume(IEnumerable<EventView> events) => events.Sum(found => found.Markets.Sum(market => market.Quotes.Volume));
}
