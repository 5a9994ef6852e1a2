using MarketData.Domain.Books;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange.Matching;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Exchange;

/// <summary>A market of the simulated exchange with its book, its positions and its listeners. Owned by the exchange's loop.</summary>
internal sealed class SimulatedMarket(MarketListing listing, MarketDefinition definition, MatchingEngine engine)
{
    private int _lastPrice, _previousPrice;
    private long _lastTradeCount, _volume, _dollarVolume;

    /// <summary>Its place in the exchange's programme, from which the market after it follows.</summary>
    public MarketListing Listing { get; } = listing;

    public MarketDefinition Definition { get; private set; } = definition;

    public MatchingEngine Engine { get; } = engine;

    public OrderBook Book => Engine.Book;

    public PositionBook Positions { get; } = new();

    /// <summary>What participants think YES is worth, an allowed price; quotes gather around it.</summary>
    public int FairPrice { get; set; }

    public MarketStatus Status { get; private set; } = MarketStatus.Initialized;

    public string Result { get; private set; } = "";

    public DateTimeOffset UpdatedTime { get; private set; } = definition.CreatedTime;

    public DateTimeOffset? SettlementTime { get; private set; }

    /// <summary>The exchange's number of the newest change of its book; 0 for none.</summary>
    public long LastChange { get; set; }

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
        OpenInterest = Positions.OpenInterest,
        DollarVolume = _dollarVolume,
    };

    public MarketView View => new(Definition, Status, Quotes) { UpdatedTime = UpdatedTime, SettlementTime = SettlementTime, Result = Result };

    public void Record(in TradePrint trade, string taker, string maker)
    {
        _previousPrice = _lastPrice == 0 ? trade.YesPrice : _lastPrice;
        _lastPrice = trade.YesPrice;
        _lastTradeCount = trade.Count;
        _volume += trade.Count;
        _dollarVolume += trade.Count * trade.YesPrice;
        Positions.Record(trade, taker, maker);
    }

    public void Activate(DateTimeOffset time) => Become(MarketStatus.Active, time);

    public void Deactivate(DateTimeOffset time) => Become(MarketStatus.Inactive, time);

    public void Close(DateTimeOffset time) => Become(MarketStatus.Closed, time);

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

    /// <summary>Its terms change: the close, the strike or the ticks; never its names.</summary>
    public void Redefine(MarketDefinition definition, DateTimeOffset time)
    {
        Definition = definition;
        UpdatedTime = time;
    }

    private void Become(MarketStatus status, DateTimeOffset time)
    {
        Status = status;
        UpdatedTime = time;
    }
}
