using MarketData.Domain.Books;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange.Matching;

namespace MarketData.Tests.Unit.MockKalshi.Exchange;

/// <summary>What matching by price, then time means, said as plainly as it can be: one list, searched for every trade.</summary>
internal sealed class NaiveMatching
{
    private readonly List<(Order Order, long Remaining)> _resting = [];

    /// <summary>The trades of an order, as whom it met, how much, and what YES cost.</summary>
    public List<(Order Resting, long Count, int YesPrice)> Place(Order order, long count, bool mayRest)
    {
        var trades = new List<(Order, long, int)>();
        long remaining = count;
        while (remaining > 0)
        {
            // The first of the best: who came earlier stands earlier.
            var best = _resting.Where(other => other.Order.Side != order.Side && other.Order.Price + order.Price >= FixedPoint.PriceScale)
                .OrderByDescending(other => other.Order.Price).FirstOrDefault();
            if (best.Order is null) break;
            long traded = Math.Min(remaining, best.Remaining);
            remaining -= traded;
            int index = _resting.FindIndex(other => other.Order == best.Order);
            if (best.Remaining == traded) _resting.RemoveAt(index);
            else _resting[index] = (best.Order, best.Remaining - traded);
            trades.Add((best.Order, traded, best.Order.Side == Side.Yes ? best.Order.Price : FixedPoint.PriceScale - best.Order.Price));
        }

        if (mayRest && remaining > 0) _resting.Add((order, remaining));
        return trades;
    }

    public void Cancel(Order order) => _resting.RemoveAll(other => other.Order == order);

    public IEnumerable<Level> Levels(Side side) => _resting.Where(resting => resting.Order.Side == side)
        .GroupBy(resting => resting.Order.Price, (price, orders) => new Level(price, orders.Sum(order => order.Remaining)))
        .OrderBy(level => level.Price);
}
