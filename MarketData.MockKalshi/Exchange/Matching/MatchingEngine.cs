using MarketData.Domain.Books;
using MarketData.Domain.Numbers;

namespace MarketData.MockKalshi.Exchange.Matching;

/// <summary>
/// One market's matching by price, then time. There are bids only: a YES bid at p and a NO bid at q trade when p + q reaches one
/// dollar, at the price of the one that rested. Not thread-safe.
/// </summary>
/// <param name="nextTradeId">Names the trades.</param>
internal sealed class MatchingEngine(Func<Guid> nextTradeId)
{
    private readonly Dictionary<int, OrderQueue> _yes = [], _no = [];
    private int _restingYes, _restingNo;

    /// <summary>What rests, by price.</summary>
    public OrderBook Book { get; } = new();

    /// <summary>Resting orders of one side.</summary>
    public int RestingOrders(Side side) => side == Side.Yes ? _restingYes : _restingNo;

    /// <summary>The order that a trade at this price would take first; those behind it follow by <see cref="Order.Next"/>.</summary>
    public Order? FirstAt(Side side, int price) => Queues(side).GetValueOrDefault(price)?.First;

    /// <summary>An order at this price would trade at once.</summary>
    public bool Crosses(Side side, int price) => Best(Opposite(side)) is { } best && best.Price + price >= FixedPoint.PriceScale;

    /// <summary>An order at this price could trade so much at once.</summary>
    public bool CanFill(Side side, int price, long count)
    {
        var levels = Book.Levels(Opposite(side));
        for (int i = levels.Length - 1; i >= 0 && count > 0 && levels[i].Price + price >= FixedPoint.PriceScale; i--) count -= levels[i].Count;
        return count <= 0;
    }

    /// <summary>What trades is added to the level's size: the book can take it.</summary>
    public bool CanRest(Order order) => Book.CountAt(order.Side, order.Price) <= FixedPoint.MaxCount - order.Remaining;

    /// <summary>Trades what crosses; what is left rests or, when it may not, stays in the order's <see cref="Order.Remaining"/>.</summary>
    public void Place(Order order, bool mayRest, Execution execution)
    {
        var opposite = Opposite(order.Side);
        while (order.Remaining > 0 && Best(opposite) is { } best && best.Price + order.Price >= FixedPoint.PriceScale)
            Trade(order, FirstAt(opposite, best.Price)!, execution);
        if (mayRest && order.Remaining > 0) Rest(order, execution);
    }

    /// <summary>Takes a resting order out of the book.</summary>
    public void Cancel(Order order, Execution execution)
    {
        long count = order.Remaining;
        order.Remaining = 0;
        Leave(order);
        Apply(new BookChange(order.Side, order.Price, -count), execution);
    }

    public static Side Opposite(Side side) => side == Side.Yes ? Side.No : Side.Yes;

    private void Trade(Order taker, Order resting, Execution execution)
    {
        long count = Math.Min(taker.Remaining, resting.Remaining);
        taker.Remaining -= count;
        resting.Remaining -= count;
        if (resting.Remaining == 0) Leave(resting);
        Apply(new BookChange(resting.Side, resting.Price, -count), execution);
        int yesPrice = resting.Side == Side.Yes ? resting.Price : FixedPoint.PriceScale - resting.Price;
        execution.Fills.Add(new Fill(new TradePrint(nextTradeId(), taker.Side, yesPrice, count), resting));
    }

    private void Rest(Order order, Execution execution)
    {
        var queues = Queues(order.Side);
        if (!queues.TryGetValue(order.Price, out var queue)) queues.Add(order.Price, queue = new OrderQueue());
        queue.Add(order);
        CountResting(order.Side, 1);
        Apply(new BookChange(order.Side, order.Price, order.Remaining), execution);
    }

    private void Leave(Order order)
    {
        var queue = order.Queue ?? throw new InvalidOperationException($"an order of {order.Customer} does not rest");
        queue.Remove(order);
        if (queue.First is null) Queues(order.Side).Remove(order.Price);
        CountResting(order.Side, -1);
    }

    private void Apply(BookChange change, Execution execution)
    {
        if (!Book.TryApply(change.Side, change.Price, change.Delta)) throw new InvalidOperationException($"{change} does not fit the book");
        execution.Changes.Add(change);
    }

    private void CountResting(Side side, int change)
    {
        if (side == Side.Yes) _restingYes += change;
        else _restingNo += change;
    }

    private Level? Best(Side side) => Book.Levels(side) is [.., var best] ? best : null;

    private Dictionary<int, OrderQueue> Queues(Side side) => side == Side.Yes ? _yes : _no;
}
