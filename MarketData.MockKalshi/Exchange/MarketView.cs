using MarketData.Domain.Books;
using MarketData.Domain.Numbers;

namespace MarketData.MockKalshi.Exchange;

/// <summary>Status words of market objects (protocol reference, section 3); filters use other words.</summary>
internal enum MarketStatus
{
    Initialized,
    Inactive,
    Active,
    Closed,
    Determined,
    Finalized,
}

/// <summary>What a market is: fixed from its creation.</summary>
internal sealed record MarketDefinition
{
    public required string Ticker { get; init; }
    public required string EventTicker { get; init; }
    public required string SeriesTicker { get; init; }
    public required Guid MarketId { get; init; }
    public required string Title { get; init; }
    public required string YesSubTitle { get; init; }
    public required string NoSubTitle { get; init; }
    public required string RulesPrimary { get; init; }
    public required DateTimeOffset CreatedTime { get; init; }
    public required DateTimeOffset OpenTime { get; init; }
    public required DateTimeOffset CloseTime { get; init; }
    public required PriceStructure Prices { get; init; }

    /// <summary>It ticks in cents for good and trades whole contracts only, because a dialect has numbers for nothing finer.</summary>
    public bool WholeUnits { get; init; }

    /// <summary>The strike in the underlying's unit; null for markets without a number.</summary>
    public decimal? FloorStrike { get; init; }

    /// <summary>Combination markets, which <c>mve_filter</c> separates.</summary>
    public bool IsMultivariate => SeriesTicker.StartsWith("KXMVE", StringComparison.Ordinal);
}

/// <summary>Best prices and sizes, and what has traded. Prices in 1/10,000 dollar, counts in 1/100 contract.</summary>
internal readonly record struct MarketQuotes(Level? YesBid, Level? NoBid)
{
    /// <summary>0 when nothing has traded.</summary>
    public int LastPrice { get; init; }
    public int PreviousPrice { get; init; }
    public long LastTradeCount { get; init; }
    public long Volume { get; init; }
    public long OpenInterest { get; init; }

    /// <summary>Price times count, in 1/1,000,000 dollar.</summary>
    public long DollarVolume { get; init; }

    /// <summary>A side without bids shows 0.0000, and the other side's ask then is 1.0000.</summary>
    public int YesBidPrice => YesBid?.Price ?? 0;
    public int NoBidPrice => NoBid?.Price ?? 0;
    public int YesAskPrice => FixedPoint.PriceScale - NoBidPrice;
    public int NoAskPrice => FixedPoint.PriceScale - YesBidPrice;

    public static MarketQuotes Of(OrderBook book) => new(Best(book, Side.Yes), Best(book, Side.No));

    private static Level? Best(OrderBook book, Side side) => book.Levels(side) is [.., var best] ? best : null;
}

/// <summary>A market as REST shows it at one moment.</summary>
internal sealed record MarketView(MarketDefinition Definition, MarketStatus Status, MarketQuotes Quotes)
{
    public required DateTimeOffset UpdatedTime { get; init; }

    /// <summary>Set once settled.</summary>
    public DateTimeOffset? SettlementTime { get; init; }

    /// <summary><c>yes</c> or <c>no</c> once determined, else empty.</summary>
    public string Result { get; init; } = "";
}
