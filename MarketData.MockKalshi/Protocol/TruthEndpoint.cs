using System.Globalization;
using System.Text.Json;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Exchange.Truth;
using MarketData.MockKalshi.Rest;

namespace MarketData.MockKalshi.Protocol;

/// <summary>
/// The exchange's own books, for tests: <c>GET /mock/books/{ticker}</c> as they stand, with <c>?at=seq</c> as a client has them once it
/// has applied the frame of that number.
/// </summary>
internal static class TruthEndpoint
{
    public static void MapTruth(this IEndpointRouteBuilder endpoints) => endpoints.MapGet("/mock/books/{ticker}", ReadAsync);

    private static async Task ReadAsync(HttpContext context, IExchange exchange, string ticker)
    {
        if (!TryReadSeq(context.Request.Query, out long? seq))
        {
            await RestError.WriteAsync(
                context, StatusCodes.Status400BadRequest, "bad_request", $"at must be one seq, 1 or above, not '{context.Request.Query["at"]}'");
            return;
        }

        var truth = await exchange.ReadTruthAsync(ticker, seq, context.RequestAborted);
        if (truth.Book is { } book) await WriteAsync(context, ticker, seq, truth.Change, book);
        else await ExplainAsync(context, ticker, seq, truth.Gap);
    }

    private static bool TryReadSeq(IQueryCollection query, out long? seq)
    {
        seq = null;
        if (!query.TryGetValue("at", out var values)) return true;
        bool valid = values.Count == 1
            && long.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out long value) && (seq = value) > 0;
        return valid;
    }

    private static async Task WriteAsync(HttpContext context, string ticker, long? seq, long change, BookView book)
    {
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteString("market_ticker", ticker);
        if (seq is { } at) json.WriteNumber("at", at);
        json.WriteNumber("change", change);
        json.WritePropertyName("orderbook_fp");
        MarketJson.WriteBook(json, book, depth: 0);
        json.WriteEndObject();
    }

    private static Task ExplainAsync(HttpContext context, string ticker, long? seq, TruthGap? gap) => gap switch
    {
        TruthGap.UnknownMarket => RestError.WriteAsync(context, StatusCodes.Status404NotFound, "not_found", $"market not found: {ticker}"),
        TruthGap.NotSubscribed => RestError.WriteAsync(
            context, StatusCodes.Status409Conflict, "not_subscribed", $"no connection subscribes to the book of {ticker}, so seq {seq} says nothing"),
        TruthGap.SeqNotReached => RestError.WriteAsync(
            context, StatusCodes.Status409Conflict, "seq_not_reached", $"the newest subscription with {ticker} has not come to seq {seq} yet"),
        _ => RestError.WriteAsync(
            context, StatusCodes.Status410Gone, "no_longer_held", $"the book of {ticker} at seq {seq} is further back than is remembered"),
    };
}
