using MarketData.Domain.Books;

namespace MarketData.MockKalshi.Exchange;

/// <summary>How long what an order does not trade at once may rest.</summary>
internal enum TimeInForce
{
    GoodTillCanceled,
    ImmediateOrCancel,
    FillOrKill,
}

/// <summary>Whether the customer buys contracts of an outcome or sells them; selling one outcome is bidding for the other.</summary>
internal enum OrderAction
{
    Buy,
    Sell,
}

/// <summary>A customer's order, checked in form but not yet against the market.</summary>
/// <param name="Ticker">The market.</param>
/// <param name="Action">Buy or sell.</param>
/// <param name="Outcome">The outcome whose contracts are bought or sold.</param>
/// <param name="Price">The most to pay, or the least to take, for one contract of that outcome; 1/10,000 dollar.</param>
/// <param name="Count">1/100 contract.</param>
internal sealed record OrderRequest(string Ticker, OrderAction Action, Side Outcome, int Price, long Count)
{
    /// <summary>The customer's own name for the order, unique among the customer's orders; null without one.</summary>
    public string? ClientOrderId { get; init; }

    public TimeInForce TimeInForce { get; init; }

    /// <summary>Refused when it would trade at once.</summary>
    public bool PostOnly { get; init; }

    /// <summary>When what still rests is cancelled; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

internal enum OrderStatus
{
    Resting,
    Canceled,
    Executed,
}

/// <summary>An order as its customer sees it at one moment. Counts in 1/100 contract.</summary>
internal sealed record OrderView(Guid Id, string Customer, OrderRequest Request, OrderStatus Status)
{
    /// <summary>Still resting; 0 once cancelled or executed.</summary>
    public required long RemainingCount { get; init; }

    public required long FilledCount { get; init; }

    /// <summary>What the fills cost, price times count, in 1/1,000,000 dollar.</summary>
    public required long FilledCost { get; init; }

    /// <summary>The part of <see cref="FilledCost"/> that came while the order rested; the order itself caused the rest of it.</summary>
    public required long MakerCost { get; init; }

    public required DateTimeOffset CreatedTime { get; init; }

    public required DateTimeOffset UpdatedTime { get; init; }
}

/// <summary>Why an order or a cancellation was refused; nothing changed then.</summary>
internal enum OrderRefusal
{
    /// <summary>A recording is played: its books are what they were.</summary>
    NoOrderEntry,
    MarketNotFound,
    MarketNotOpen,
    PriceNotOnTick,

    /// <summary>The market trades whole contracts only.</summary>
    CountNotWhole,
    PostOnlyWouldTrade,
    FillOrKillCannotFill,
    DuplicateClientOrderId,
    OrderNotFound,
    OrderNotResting,

    /// <summary>More resting orders, or more contracts in one order or at one price, than the exchange takes.</summary>
    LimitExceeded,
}

/// <summary>An order as it stands after the request, or why there is none.</summary>
internal readonly record struct OrderOutcome(OrderView? Order, OrderRefusal? Refusal)
{
    public static OrderOutcome Refused(OrderRefusal refusal) => new(null, refusal);
}

/// <summary>Which of a customer's orders a listing asks for; null members do not restrict.</summary>
internal sealed record OrderFilter(string Customer, string? Ticker = null, OrderStatus? Status = null)
{
    public bool Matches(string customer, string ticker, OrderStatus status) =>
        Customer == customer && (Ticker is null || Ticker == ticker) && (Status is null || Status == status);
}

/// <summary>A trade with where and when it was.</summary>
internal sealed record TradeView(string Ticker, TradePrint Print, DateTimeOffset Time);

/// <summary>Which trades a listing asks for; null members do not restrict.</summary>
internal sealed record TradeFilter(string? Ticker, TimeInterval Time)
{
    public bool Matches(TradeView trade) => (Ticker is null || Ticker == trade.Ticker) && Time.Contains(trade.Time);
}
