namespace MarketData.MockKalshi.Exchange;

/// <summary>The latest trades of all markets. Owned by the exchange's loop.</summary>
internal sealed class TradeTape
{
    /// <summary>Trades held; older ones are forgotten.</summary>
    public const int Held = 50_000;

    private readonly TradeView[] _ring = new TradeView[Held];
    private readonly Dictionary<Guid, long> _numbers = [];
    private long _count;

    public void Add(TradeView trade)
    {
        ref var slot = ref _ring[_count % Held];
        if (slot is { } forgotten) _numbers.Remove(forgotten.Print.Id);
        slot = trade;
        _numbers.Add(trade.Print.Id, _count++);
    }

    /// <summary>Newest first; after <paramref name="before"/> nothing newer than it, and nothing at all when it is not held.</summary>
    public IReadOnlyList<TradeView> List(TradeFilter filter, Guid? before, int limit)
    {
        long end = before is { } id ? _numbers.GetValueOrDefault(id) : _count;
        var page = new List<TradeView>();
        for (long number = end - 1; number >= Math.Max(0, _count - Held) && page.Count < limit; number--)
        {
            var trade = _ring[number % Held];
            if (filter.Matches(trade)) page.Add(trade);
        }

        return page;
    }
}
