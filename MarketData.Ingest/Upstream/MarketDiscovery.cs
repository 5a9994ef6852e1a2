using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Upstream;

/// <summary>Lists the open markets over the exchange's REST API.</summary>
public sealed class MarketDiscovery(HttpClient http, IOptions<UpstreamOptions> options, IConfiguration configuration)
{
    /// <summary>The tickers of all open markets, combinations excluded, in the exchange's order.</summary>
    /// <exception cref="HttpRequestException">The exchange cannot be reached or refused.</exception>
    /// <exception cref="InvalidDataException">The pages repeat.</exception>
    public async Task<IReadOnlyList<string>> ListOpenMarketsAsync(CancellationToken cancellationToken)
    {
        var (rest, _) = options.Value.Addresses(configuration);
        var tickers = new List<string>();
        var cursors = new HashSet<string>();
        string? cursor = null;
        do
        {
            var query = $"{rest}/markets?status=open&mve_filter=exclude&limit={options.Value.PageSize}";
            if (cursor != null) query += $"&cursor={Uri.EscapeDataString(cursor)}";
            var page = await http.GetFromJsonAsync<MarketPage>(query, cancellationToken)
                ?? throw new InvalidDataException($"{query} answered null where a page of markets is expected.");
            tickers.AddRange(page.Markets.Select(market => market.Ticker));
            cursor = page.Cursor;
            if (!string.IsNullOrEmpty(cursor) && !cursors.Add(cursor))
                throw new InvalidDataException($"The market listing repeats its cursor '{cursor}' after {tickers.Count} markets.");
        }
        while (!string.IsNullOrEmpty(cursor));
        return tickers;
    }

    private sealed record MarketPage(
        [property: JsonPropertyName("markets")] IReadOnlyList<Market> Markets,
        [property: JsonPropertyName("cursor")] string? Cursor);

    private sealed record Market([property: JsonPropertyName("ticker")] string Ticker);
}
