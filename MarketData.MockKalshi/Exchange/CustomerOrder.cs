using MarketData.Domain.Books;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange.Matching;

namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// An order that came by order entry. To sell an outcome at p is to bid for the other at 1-p, which is how it stands in the book.
/// Owned by the exchange's loop.
/// </summary>
internal sealed class CustomerOrder(Guid id, string customer, OrderRequest request, SimulatedMarket market, DateTimeOffset created)
    : Order(customer, BidSide(request), BidPrice(request), request.Count)
{
    public Guid Id { get; } = id;

    public OrderRequest Request { get; } = request;

    public SimulatedMarket Market { get; } = market;

    public DateTimeOffset CreatedTime { get; } = created;

    public DateTimeOffset UpdatedTime { get; set; } = created;

    public override string? ClientOrderId => Request.ClientOrderId;

    public long FilledCount { get; private set; }

    /// <summary>What the fills that this order caused cost, in 1/1,000,000 dollar.</summary>
    public long TakerCost { get; private set; }

    /// <summary>What the fills cost in which it had rested, in 1/1,000,000 dollar.</summary>
    public long MakerCost { get; private set; }

    /// <summary>Set while it rests and will expire.</summary>
    public TimelineEvent? Expiry { get; set; }

    public OrderStatus Status =>
        Queue is not null ? OrderStatus.Resting
        : FilledCount == Request.Count ? OrderStatus.Executed
        : OrderStatus.Canceled;

    /// <summary>What the book still holds of it; what neither rests nor traded is cancelled.</summary>
    public long RestingCount => Queue is null ? 0 : Remaining;

    public OrderView View => new(Id, Customer, Request, Status)
    {
        RemainingCount = RestingCount,
        FilledCount = FilledCount,
        FilledCost = TakerCost + MakerCost,
        MakerCost = MakerCost,
        CreatedTime = CreatedTime,
        UpdatedTime = UpdatedTime,
    };

    public void RecordFill(in TradePrint print, bool isTaker)
    {
        FilledCount += print.Count;
        long cost = print.Count * (Request.Outcome == Side.Yes ? print.YesPrice : FixedPoint.PriceScale - print.YesPrice);
        if (isTaker) TakerCost += cost;
        else MakerCost += cost;
    }

    private static Side BidSide(OrderRequest request) =>
        request.Action == OrderAction.Buy ? request.Outcome : MatchingEngine.Opposite(request.Outcome);

    private static int BidPrice(OrderRequest request) =>
        request.Action == OrderAction.Buy ? request.Price : FixedPoint.PriceScale - request.Price;
}
