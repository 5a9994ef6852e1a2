using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Rest;

/// <summary>An event: markets on the same question, told apart by their strikes. The markets are in ticker order, at least one.</summary>
internal sealed record EventView(string Ticker, IReadOnlyList<MarketView> Markets)
{
    /// <summary>Markets read at once, so that the exchange's loop is never held up for long.</summary>
    private const int Chunk = 500;

    /// <summary>What all its markets have in common.</summary>
    public MarketDefinition Definition => Markets[0].Definition;

    /// <summary>The events of the markets that match, in ordinal order of their tickers.</summary>
    public static async Task<IReadOnlyList<EventView>> ListAsync(IExchange exchange, MarketFilter filter, CancellationToken cancellationToken)
    {
        var markets = new List<MarketView>();
        IReadOnlyList<MarketView> page;
        do
        {
            string? after = markets.Count == 0 ? null : markets[^1].Definition.Ticker;
            page = await exchange.ListMarketsAsync(filter, after, Chunk, cancellationToken);
            markets.AddRange(page);
        }
        while (page.Count == Chunk);

        return [.. markets
            .GroupBy(market => market.Definition.EventTicker, (ticker, members) => new EventView(ticker, members.ToList()))
            .OrderBy(found => found.Ticker, StringComparer.Ordinal)];
    }
}
