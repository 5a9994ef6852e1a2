using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using MarketData.Domain.Channels;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Upstream;

/// <summary>Lists the markets over the exchange's REST API.</summary>
public sealed partial class MarketDiscovery(
    HttpClient http, IOptions<UpstreamOptions> options, IConfiguration configuration, ILogger<MarketDiscovery> logger)
{
    /// <summary>
    /// The tickers of all markets that the options ask for, each once. Ends early, with a warning, when the pages begin to repeat: most
    /// markets are worth more than none.
    /// </summary>
    /// <exception cref="HttpRequestException">The exchange cannot be reached or refused, after retries.</exception>
    /// <exception cref="InvalidDataException">The answer is no page of markets.</exception>
    public async Task<IReadOnlyCollection<string>> ListMarketsAsync(CancellationToken cancellationToken)
    {
        var tickers = new HashSet<string>();
        foreach (string series in options.Value.Series.Split(',')) await ListAsync(series, tickers, cancellationToken);
        return tickers;
    }

    private async Task ListAsync(string series, HashSet<string> tickers, CancellationToken cancellationToken)
    {
        var (rest, _) = options.Value.Addresses(configuration);
        var cursors = new HashSet<string>();
        string? cursor = null;
        do
        {
            var query = $"{rest}/markets?{Query(series, cursor)}";
            var page = await http.GetFromJsonAsync<MarketPage>(query, cancellationToken);
            if (page?.Markets == null) throw new InvalidDataException($"{query} answered no 'markets'.");
            foreach (var market in page.Markets) Add(market.Ticker, tickers);
            cursor = page.Cursor;
            if (!string.IsNullOrEmpty(cursor) && !cursors.Add(cursor))
            {
                LogRepeats(cursor, tickers.Count);
                return;
            }
        }
        while (!string.IsNullOrEmpty(cursor));
    }

    // What is empty does not restrict.
    private string Query(string series, string? cursor)
    {
        (string Name, string? Value)[] parameters =
        [
            ("status", options.Value.MarketStatus), ("mve_filter", options.Value.MveFilter), ("series_ticker", series),
            ("limit", options.Value.PageSize.ToString(CultureInfo.InvariantCulture)), ("cursor", cursor),
        ];
        return string.Join('&', parameters.Where(parameter => !string.IsNullOrEmpty(parameter.Value)).Select(parameter => $"{parameter.Name}={Uri.EscapeDataString(parameter.Value!)}"));
    }

    private void Add(string? ticker, HashSet<string> tickers)
    {
        // A market that cannot be named in a channel cannot be published, and its unreadable frames would look like holes.
        if (!string.IsNullOrEmpty(ticker) && PlainName.IsValid(Encoding.UTF8.GetBytes(ticker))) tickers.Add(ticker);
        else LogUnusable(ticker, PlainName.Rule);
    }

    [LoggerMessage(14, LogLevel.Warning, "The market listing repeats its cursor '{Cursor}'; going on with the {Markets} markets seen so far.")]
    private partial void LogRepeats(string cursor, int markets);

    [LoggerMessage(15, LogLevel.Warning, "Left out the market '{Ticker}': a market ticker {Rule}.")]
    private partial void LogUnusable(string? ticker, string rule);

    private sealed record MarketPage(
        [property: JsonPropertyName("markets")] IReadOnlyList<Market>? Markets,
        [property: JsonPropertyName("cursor")] string? Cursor);

    private sealed record Market([property: JsonPropertyName("ticker")] string? Ticker);
}
