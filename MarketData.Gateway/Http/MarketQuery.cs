using System.Globalization;
using MarketData.Domain.Channels;

namespace MarketData.Gateway.Http;

/// <summary>What part of the markets a request wants: <c>search</c>, <c>limit</c> and <c>cursor</c>.</summary>
/// <param name="Search">Part of the ticker, in any case; empty for all.</param>
/// <param name="Limit">Markets on a page.</param>
/// <param name="Cursor">The last ticker of the page before; empty for the first page.</param>
public sealed record MarketQuery(string Search, int Limit, string Cursor)
{
    private const int DefaultLimit = 1000, MaxLimit = 10_000;

    /// <summary>Reads the query; on null <paramref name="error"/> names the parameter and what it may be.</summary>
    public static MarketQuery? Read(IQueryCollection query, out string? error)
    {
        int limit = DefaultLimit;
        string text = query["limit"].ToString(), search = query["search"].ToString(), cursor = query["cursor"].ToString();
        error = Array.Find(["search", "limit", "cursor"], (string name) => query[name].Count > 1) is { } repeated ? $"{repeated} is given {query[repeated].Count} times: give it once."
            : query.ContainsKey("limit") && !TryParseLimit(text, out limit) ? $"limit is '{text}': it must be 1 to {MaxLimit} markets."
            : search.Length > PlainName.MaxLength ? $"search has {search.Length} characters: a ticker has {PlainName.MaxLength} at most."
            : cursor.Length > PlainName.MaxLength ? "cursor is none that this gateway gave: leave it out to begin with the first page."
            : null;
        return error == null ? new MarketQuery(search, limit, cursor) : null;
    }

    /// <summary>One page of the sorted tickers, and the cursor of the next page; null when this is the last.</summary>
    public (IReadOnlyList<string> Tickers, string? Next) Page(IReadOnlyList<string> sorted)
    {
        // One more than the page shows whether there is another.
        var page = sorted
            .Where(ticker => string.CompareOrdinal(ticker, Cursor) > 0 && ticker.Contains(Search, StringComparison.OrdinalIgnoreCase))
            .Take(Limit + 1)
            .ToList();
        if (page.Count <= Limit) return (page, null);
        page.RemoveAt(Limit);
        return (page, page[^1]);
    }

    private static bool TryParseLimit(string text, out int limit) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= MaxLimit;
}
