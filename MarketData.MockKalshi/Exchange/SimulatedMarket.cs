using MarketData.Domain.Books;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Exchange;

/// <summary>A signed change of one level: price in 1/10,000 dollar, delta in 1/100 contract.</summary>
internal readonly record struct BookChange(Side Side, int Price, long Delta);

/// <summary>One trade. YES price in 1/10,000 dollar, count in 1/100 contract.</summary>
/// <param name="Id">Unique.</param>
/// <param name="Taker">The outcome that the taker bought.</param>
/// <param name="YesPrice">What YES cost; NO cost the rest of a dollar.</param>
/// <param name="Count">Contracts.</param>
internal readonly record struct TradePrint(Guid Id, Side Taker, int YesPrice, long Count);

/// <summary>A market of the simulated exchange with its book and its listeners. Owned by the exchange's loop.</summary>
internal sealed class SimulatedMarket(MarketDefinition definition, DateTimeOffset created)
{
    private int _lastPrice, _previousPrice;
    private long _lastTradeCount, _volume, _openInterest, _dollarVolume;

    public MarketDefinition Definition { get; } = definition;

    public OrderBook Book { get; } = new();

    /// <summary>What participants think YES is worth, an allowed price; quotes gather around it.</summary>
    public int FairPrice { get; set; }

    public MarketStatus Status { get; private set; } = MarketStatus.Active;

    public string Result { get; private set; } = "";

    public DateTimeOffset UpdatedTime { get; private set; } = created;

    public DateTimeOffset? SettlementTime { get; private set; }

    /// <summary>A ticker frame is due: a best price, its size or the last trade changed.</summary>
    public bool TickerDue { get; set; }

    public List<Subscription> BookSubscriptions { get; } = [];
    public List<Subscription> TickerSubscriptions { get; } = [];
    public List<Subscription> TradeSubscriptions { get; } = [];

    public MarketQuotes Quotes => MarketQuotes.Of(Book) with
    {
        LastPrice = _lastPrice,
        PreviousPrice = _previousPrice,
        LastTradeCount = _lastTradeCount,
        Volume = _volume,
        OpenInterest = _openInterest,
        DollarVolume = _dollarVolume,
    };

    public MarketView View => new(Definition, Status, Quotes) { UpdatedTime = UpdatedTime, SettlementTime = SettlementTime, Result = Result };

    public void Record(in TradePrint trade, bool opensInterest)
    {
        _previousPrice = _lastPrice == 0 ? trade.YesPrice : _lastPrice;
        _lastPrice = trade.YesPrice;
        _lastTradeCount = trade.Count;
        _volume += trade.Count;
        _dollarVolume += trade.Count * trade.YesPrice;
        if (opensInterest) _openInterest += trade.Count;
        else _openInterest = Math.Max(0, _openInterest - trade.Count);
    }

    public void Close(DateTimeOffset time)
    {
        Book.Clear();
        Become(MarketStatus.Closed, time);
    }

    /// <summary>YES wins when it was thought worth more than half a dollar.</summary>
    public void Determine(DateTimeOffset time)
    {
        Result = FairPrice * 2 > FixedPoint.PriceScale ? "yes" : "no";
        Become(MarketStatus.Determined, time);
    }

    public void Settle(DateTimeOffset time)
    {
        SettlementTime = time;
        Become(MarketStatus.Finalized, time);
    }

    private void Become(MarketStatus status, DateTimeOffset time)
    {
        Status = status;
        UpdatedTime = time;
    }
}
