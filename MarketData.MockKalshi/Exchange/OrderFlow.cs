using MarketData.Domain.Books;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange.Matching;

namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// Simulated participants: makers who quote around a drifting fair value and cancel their quotes, and takers who trade against what
/// rests, customers' orders among it. They trade through the same floor as customers. Not thread-safe.
/// </summary>
internal sealed class OrderFlow(TradingFloor floor, Random random)
{
    private const int UsualOrders = 14, FewLevels = 3, LongestSweep = 3;
    private const double DriftChance = 0.05, TakeChance = 0.04;

    private static readonly string[] Makers = [.. Enumerable.Range(1, 6).Select(number => $"maker-{number}")];
    private static readonly string[] Takers = [.. Enumerable.Range(1, 6).Select(number => $"taker-{number}")];

    /// <summary>Fills an empty book.</summary>
    public void Open(SimulatedMarket market, DateTimeOffset now)
    {
        market.FairPrice = market.Definition.Prices.Below(random.Next(800, 9_200));
        foreach (var side in new[] { Side.Yes, Side.No })
        {
            int orders = random.Next(UsualOrders / 2, UsualOrders * 2);
            for (int i = 0; i < orders; i++) Quote(market, side, now);
        }
    }

    /// <summary>One participant acts; usually one change, several when a taker meets more than one order.</summary>
    public void Step(SimulatedMarket market, DateTimeOffset now)
    {
        if (random.NextDouble() < DriftChance) Drift(market);

        var side = random.Next(2) == 0 ? Side.Yes : Side.No;
        double roll = random.NextDouble();
        if (Overpriced(market, Side.Yes) is { } dearYes && roll < 0.5) TakeOrCancel(market, Side.Yes, dearYes, now);
        else if (Overpriced(market, Side.No) is { } dearNo && roll < 0.5) TakeOrCancel(market, Side.No, dearNo, now);
        else if (roll < TakeChance) Take(market, side, now);
        else if (random.Next(UsualOrders * 2) < market.Engine.RestingOrders(side)) Cancel(market, side, now);
        else Quote(market, side, now);
    }

    private void Drift(SimulatedMarket market)
    {
        var prices = market.Definition.Prices;
        int moved = random.Next(2) == 0 ? prices.Below(market.FairPrice) : prices.Above(market.FairPrice);
        if (moved is >= 300 and <= 9_700) market.FairPrice = moved;
    }

    /// <summary>A maker bids some ticks away from the fair value, never at a price that would trade.</summary>
    private void Quote(SimulatedMarket market, Side side, DateTimeOffset now)
    {
        var prices = market.Definition.Prices;
        int price = prices.Below(FairOf(market, side));
        while (random.NextDouble() < 0.75) price = prices.Below(price);
        if (BestOf(market, MatchingEngine.Opposite(side)) is { } best) price = Math.Min(price, prices.Below(FixedPoint.PriceScale - best.Price));
        if (price > 0) Bid(market, side, price, now);
        else Cancel(market, side, now);
    }

    /// <summary>A maker takes a quote back; a thin side gets another instead.</summary>
    private void Cancel(SimulatedMarket market, Side side, DateTimeOffset now)
    {
        var levels = market.Book.Levels(side);
        if (levels.Length > FewLevels) CancelAt(market, side, levels[random.Next(levels.Length)].Price, now);
        else QuoteBest(market, side, now);
    }

    /// <summary>A maker quotes at the best price that does not trade: one that exists even on a side with few prices left.</summary>
    private void QuoteBest(SimulatedMarket market, Side side, DateTimeOffset now)
    {
        int ceiling = FixedPoint.PriceScale - (BestOf(market, MatchingEngine.Opposite(side))?.Price ?? 0);
        int price = market.Definition.Prices.Below(Math.Min(ceiling, FairOf(market, side)));
        if (price > 0) Bid(market, side, price, now);
    }

    /// <summary>The participant whose quote is the oldest at a price cancels it; customers' orders are their own business.</summary>
    private void CancelAt(SimulatedMarket market, Side side, int price, DateTimeOffset now)
    {
        var order = market.Engine.FirstAt(side, price);
        while (order is CustomerOrder) order = order.Next;
        if (order is not null) floor.Cancel(market, order, now);
    }

    private void TakeOrCancel(SimulatedMarket market, Side resting, Level best, DateTimeOffset now)
    {
        if (random.Next(2) == 0) Take(market, resting, now);
        else CancelAt(market, resting, best.Price, now);
    }

    /// <summary>A taker buys the opposite outcome from the best resting bids, at most so many levels deep.</summary>
    private void Take(SimulatedMarket market, Side resting, DateTimeOffset now)
    {
        var levels = market.Book.Levels(resting);
        if (levels.IsEmpty) return;
        int deepest = levels[Math.Max(0, levels.Length - LongestSweep)].Price;
        var order = new Order(Pick(Takers), MatchingEngine.Opposite(resting), FixedPoint.PriceScale - deepest, OrderSize(market));
        floor.Place(market, order, mayRest: false, now);
    }

    private void Bid(SimulatedMarket market, Side side, int price, DateTimeOffset now) =>
        floor.Place(market, new Order(Pick(Makers), side, price, OrderSize(market)), mayRest: true, now);

    private string Pick(string[] participants) => participants[random.Next(participants.Length)];

    /// <summary>The best bid of a side when it offers more than the side is worth: stale, after the fair value moved.</summary>
    private static Level? Overpriced(SimulatedMarket market, Side side) =>
        BestOf(market, side) is { } best && best.Price >= FairOf(market, side) ? best : null;

    private static Level? BestOf(SimulatedMarket market, Side side) => market.Book.Levels(side) is [.., var best] ? best : null;

    private static int FairOf(SimulatedMarket market, Side side) =>
        side == Side.Yes ? market.FairPrice : FixedPoint.PriceScale - market.FairPrice;

    /// <summary>In 1/100 contract: mostly whole contracts, many small and few large.</summary>
    private long OrderSize(SimulatedMarket market)
    {
        long contracts = 1 + (long)Math.Exp(random.NextDouble() * 8);
        return contracts * FixedPoint.CountScale + (!market.Definition.WholeUnits && random.Next(4) == 0 ? random.Next(1, FixedPoint.CountScale) : 0);
    }
}
