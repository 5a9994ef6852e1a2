namespace MarketData.MockKalshi.Exchange;

/// <summary>The markets of the simulated exchange, by ticker, by id and in ticker order. Owned by the exchange's loop.</summary>
internal sealed class MarketBoard
{
    private readonly Dictionary<string, SimulatedMarket> _byTicker = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, SimulatedMarket> _byId = [];
    private readonly List<string> _tickers = [];

    public IEnumerable<SimulatedMarket> All => _byTicker.Values;

    public void Add(SimulatedMarket market)
    {
        string ticker = market.Definition.Ticker;
        _byTicker.Add(ticker, market);
        _byId.Add(market.Definition.MarketId, market);
        _tickers.Insert(~_tickers.BinarySearch(ticker, StringComparer.Ordinal), ticker);
    }

    public void Remove(SimulatedMarket market)
    {
        string ticker = market.Definition.Ticker;
        _byTicker.Remove(ticker);
        _byId.Remove(market.Definition.MarketId);
        _tickers.RemoveAt(_tickers.BinarySearch(ticker, StringComparer.Ordinal));
    }

    public SimulatedMarket? Find(string ticker) => _byTicker.GetValueOrDefault(ticker);

    public SimulatedMarket? Find(Guid marketId) => _byId.GetValueOrDefault(marketId);

    /// <summary>The markets that match, in ticker order, after a ticker.</summary>
    public IReadOnlyList<MarketView> List(MarketFilter filter, string? after, int limit)
    {
        int position = after is null ? ~0 : _tickers.BinarySearch(after, StringComparer.Ordinal);
        int index = position >= 0 ? position + 1 : ~position;
        var page = new List<MarketView>();
        for (; index < _tickers.Count && page.Count < limit; index++)
        {
            var view = _byTicker[_tickers[index]].View;
            if (filter.Matches(view)) page.Add(view);
        }

        return page;
    }
}
