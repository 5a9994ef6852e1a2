using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Domain.Numbers;
using StackExchange.Redis;

namespace MarketData.Gateway.Http;

/// <summary><c>GET /api/markets</c> and <c>GET /api/markets/{ticker}/book</c>, from the relay's snapshot keys.</summary>
public static class MarketsEndpoints
{
    public static void MapMarkets(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/markets", ListAsync);
        routes.MapGet("/api/markets/{ticker}/book", BookAsync);
    }

    private static async Task<IResult> ListAsync(HttpRequest request, MarketDirectory directory, CancellationToken cancellationToken)
    {
        if (MarketQuery.Read(request.Query, out var error) is not { } query) return Results.BadRequest(new { error });
        try
        {
            var (tickers, next) = query.Page(await directory.ListAsync(cancellationToken));
            return Results.Ok(new { markets = tickers.Select(ticker => new { ticker }), cursor = next });
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return Unavailable(exception);
        }
    }

    // The key and not the feed's cache: it is at most a quarter of a second old, there for every market, and asking for it costs the feed nothing.
    private static async Task<IResult> BookAsync(string ticker, IConnectionMultiplexer redis)
    {
        try
        {
            byte[]? value = await redis.GetDatabase().StringGetAsync(RedisNames.SnapshotKey(ticker));
            return value == null ? NotFound(ticker) : Book(ticker, value);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return Unavailable(exception);
        }
    }

    private static IResult Book(string ticker, byte[] value)
    {
        var book = new SequencedBook();
        if (!Envelope.TryParse(value, out var envelope, out _) || book.Apply(value, envelope) != BookOutcome.Applied) return NotFound(ticker);
        return Results.Ok(new
        {
            ticker,
            yes = Levels(book.Book.Levels(Side.Yes)),
            no = Levels(book.Book.Levels(Side.No)),
            streamSequence = book.Position.Sequence,
            streamEpoch = book.Position.Epoch,
            sequence = book.Sequence,
            stale = book.IsStale,
        });
    }

    // Price in dollars and contracts, as the exchange writes them; ascending, best bid last.
    private static string[][] Levels(ReadOnlySpan<Level> levels)
    {
        var text = new string[levels.Length][];
        Span<byte> number = stackalloc byte[FixedPoint.MaxFormattedLength];
        for (int i = 0; i < levels.Length; i++)
        {
            var price = Encoding.ASCII.GetString(number[..FixedPoint.FormatPrice(levels[i].Price, number)]);
            text[i] = [price, Encoding.ASCII.GetString(number[..FixedPoint.FormatCount(levels[i].Count, number)])];
        }

        return text;
    }

    private static IResult NotFound(string ticker) =>
        Results.NotFound(new { error = $"No book of market '{ticker}' is known; GET /api/markets lists those that are." });

    private static IResult Unavailable(Exception exception) =>
        Results.Json(new { error = $"Redis does not answer: {exception.Message}" }, statusCode: StatusCodes.Status503ServiceUnavailable);
}
