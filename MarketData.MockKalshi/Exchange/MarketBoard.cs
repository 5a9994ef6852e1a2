using System.Runtime.InteropServices;

namespace MarketData.MockKalshi.Exchange;

/// <summary>The markets of the simulated exchange, by ticker, by id and in ticker order. Owned by the exchange's loop.</summary>
internal sealed class MarketBoard
{
    private readonly Dictionary<string, SimulatedMarket> _byTicker = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, SimulatedMarket> _byId = [];
    private readonly Dictionary<string, int> _marketsOfEvent = new(StringComparer.Ordinal);
    private readonly List<string> _tickers = [];

    public IEnumerable<SimulatedMarket> All => _byTicker.Values;

    public void Add(SimulatedMarket market)
    {
        string ticker = market.Definition.Ticker;
        _byTicker.Add(ticker, market);
        _byId.Add(market.Definition.MarketId, market);
        CollectionsMarshal.GetValueRefOrAddDefault(_marketsOfEvent, market.Definition.EventTicker, out _)++;
        _tickers.Insert(~_tickers.BinarySearch(ticker, StringComparer.Ordinal), ticker);
    }

    public void Remove(SimulatedMarket market)
    {
        string ticker = market.Definition.Ticker;
        _byTicker.Remove(ticker);
        _byId.Remove(market.Definition.MarketId);
        if (--CollectionsMarshal.GetValueRefOrAddDefault(_marketsOfEvent, market.Definition.EventTicker, out _) == 0)
            _marketsOfEvent.Remove(market.Definition.EventTicker);
        _tickers.RemoveAt(_tickers.BinarySearch(ticker, StringComparer.Ordinal));
    }

    /// <summary>Some market of this event is on the board.</summary>
    public bool HasEvent(string eventTicker) => _marketsOfEvent.ContainsKey(eventTicker);

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
