using System.Buffers;
using System.Globalization;
using System.Text.Json;
using MarketData.Domain.Channels;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Upstream;

/// <summary>Lists past trades over the exchange's REST API, written as its socket would have brought them.</summary>
public sealed partial class TradeHistory(
    HttpClient http, RequestSigner signer, IOptions<UpstreamOptions> options, IConfiguration configuration, ILogger<TradeHistory> logger)
{
    /// <summary>Trades of one listing at most: what is above is older than anybody still waits for.</summary>
    public const int MaxTrades = 100_000;

    private const int PageSize = 1000;

    /// <summary>The trades of all markets since a time, oldest first, each as a <c>trade</c> frame without <c>sid</c> and <c>seq</c>.</summary>
    /// <param name="since">Unix milliseconds; the exchange takes whole seconds, so up to a second more comes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The frames, and whether the oldest were left out because they were more than <see cref="MaxTrades"/>.</returns>
    /// <exception cref="HttpRequestException">The exchange cannot be reached or refused, after retries.</exception>
    /// <exception cref="InvalidDataException">The answer is no page of trades.</exception>
    public async Task<(IReadOnlyList<byte[]> Frames, bool IsCut)> ListAsync(long since, CancellationToken cancellationToken)
    {
        var frames = new List<byte[]>();
        var cursors = new HashSet<string>();
        string cursor = "";
        do
        {
            using var page = await AskAsync(since, cursor, cancellationToken);
            if (!page.RootElement.TryGetProperty("trades", out var trades) || trades.ValueKind != JsonValueKind.Array)
                throw new InvalidDataException("GET /markets/trades answered no 'trades'.");
            // The exchange lists the newest first.
            foreach (var trade in trades.EnumerateArray())
            {
                if (Write(trade) is { } frame) frames.Add(frame);
                else LogUnusable(trade.ToString());
            }

            cursor = page.RootElement.TryGetProperty("cursor", out var next) ? next.GetString() ?? "" : "";
            if (cursor.Length > 0 && !cursors.Add(cursor)) throw new InvalidDataException($"GET /markets/trades repeats its cursor '{cursor}'.");
        }
        while (cursor.Length > 0 && frames.Count < MaxTrades);

        frames.Reverse();
        return (frames, IsCut: cursor.Length > 0);
    }

    private async Task<JsonDocument> AskAsync(long since, string cursor, CancellationToken cancellationToken)
    {
        var (rest, _) = options.Value.Addresses(configuration);
        string query = string.Create(CultureInfo.InvariantCulture, $"{rest}/markets/trades?limit={PageSize}&min_ts={since / 1000}&cursor={Uri.EscapeDataString(cursor)}");
        using var request = new HttpRequestMessage(HttpMethod.Get, query);
        // What is signed is not answered from a cache.
        foreach (var (name, value) in signer.Headers("GET", request.RequestUri!)) request.Headers.Add(name, value);
        using var response = await http.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        try
        {
            return await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken);
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"GET /markets/trades answered no JSON: {exception.Message}", exception);
        }
    }

    // REST says ticker and created_time where the socket says market_ticker, ts_ms and ts. Null for what is no trade of a usable market.
    private static byte[]? Write(JsonElement trade)
    {
        if (trade.ValueKind != JsonValueKind.Object) return null;
        if (!IsText(trade, "trade_id", out _) || !IsText(trade, "ticker", out var ticker) || !IsText(trade, "created_time", out var created)) return null;
        if (!PlainName.IsValid(System.Text.Encoding.UTF8.GetBytes(ticker.GetString()!)) || !created.TryGetDateTimeOffset(out var time)) return null;

        var frame = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(frame))
        {
            json.WriteStartObject();
            json.WriteString("type", "trade");
            json.WriteStartObject("msg");
            json.WriteString("market_ticker", ticker.GetString());
            foreach (var field in trade.EnumerateObject())
            {
                if (field.Name is not ("ticker" or "created_time")) field.WriteTo(json);
            }

            json.WriteNumber("ts", time.ToUnixTimeSeconds());
            json.WriteNumber("ts_ms", time.ToUnixTimeMilliseconds());
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return frame.WrittenSpan.ToArray();
    }

    private static bool IsText(JsonElement trade, string name, out JsonElement value) =>
        trade.TryGetProperty(name, out value) && value.ValueKind == JsonValueKind.String;

    [LoggerMessage(60, LogLevel.Warning, "Left out a trade of the listing, which lacks what a trade has: {Trade}")]
    private partial void LogUnusable(string trade);
}
