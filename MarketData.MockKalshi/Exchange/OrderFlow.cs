using MarketData.Domain.Books;
using MarketData.Domain.Numbers;

namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// Simulated participants: makers who quote around a drifting fair value and pull their quotes, and takers who trade against
/// what rests. Books never cross and no level falls below zero. Not thread-safe.
/// </summary>
internal sealed class OrderFlow(Random random, bool wholeContracts)
{
    private const int UsualLevels = 12, FewLevels = 3, LongestSweep = 3;

    private readonly List<BookChange> _changes = [];
    private readonly List<TradePrint> _trades = [];

    /// <summary>What the last <see cref="Step"/> changed, in order; already in the market's book.</summary>
    public IReadOnlyList<BookChange> Changes => _changes;

    /// <summary>What the last <see cref="Step"/> traded, in order.</summary>
    public IReadOnlyList<TradePrint> Trades => _trades;

    /// <summary>Fills an empty book.</summary>
    public void Open(SimulatedMarket market)
    {
        market.FairPrice = market.Definition.Prices.Below(random.Next(800, 9_200));
        foreach (var side in new[] { Side.Yes, Side.No })
        {
            int levels = random.Next(UsualLevels / 2, UsualLevels * 2);
            for (int i = 0; i < levels; i++) Quote(market, side);
        }
    }

    /// <summary>One participant acts; usually one change, several when a taker sweeps.</summary>
    public void Step(SimulatedMarket market)
    {
        _changes.Clear();
        _trades.Clear();
        if (random.NextDouble() < 0.05) Drift(market);

        var side = random.Next(2) == 0 ? Side.Yes : Side.No;
        double roll = random.NextDouble();
        if (Overpriced(market, Side.Yes) is { } dearYes && roll < 0.5) TakeOrPull(market, Side.Yes, dearYes);
        else if (Overpriced(market, Side.No) is { } dearNo && roll < 0.5) TakeOrPull(market, Side.No, dearNo);
        else if (roll < 0.10) Take(market, side);
        else if (random.Next(UsualLevels * 2) < market.Book.Levels(side).Length) Pull(market, side);
        else Quote(market, side);
    }

    private void Drift(SimulatedMarket market)
    {
        var prices = market.Definition.Prices;
        int moved = random.Next(2) == 0 ? prices.Below(market.FairPrice) : prices.Above(market.FairPrice);
        if (moved is >= 300 and <= 9_700) market.FairPrice = moved;
    }

    /// <summary>A maker adds size some ticks away from the fair value, never at a price that would trade.</summary>
    private void Quote(SimulatedMarket market, Side side)
    {
        var prices = market.Definition.Prices;
        int price = prices.Below(FairOf(market, side));
        while (random.NextDouble() < 0.75) price = prices.Below(price);
        if (market.Book.Levels(Opposite(side)) is [.., var best]) price = Math.Min(price, prices.Below(FixedPoint.PriceScale - best.Price));
        if (price > 0) Apply(market, new BookChange(side, price, OrderSize()));
        else Pull(market, side);
    }

    /// <summary>A maker takes back all or part of a level; a thin side is left alone.</summary>
    private void Pull(SimulatedMarket market, Side side)
    {
        var levels = market.Book.Levels(side);
        if (levels.Length > FewLevels) PullLevel(market, side, levels[random.Next(levels.Length)]);
        else QuoteBest(market, side);
    }

    /// <summary>A maker quotes at the best price that does not trade: one that exists even on a side with few prices left.</summary>
    private void QuoteBest(SimulatedMarket market, Side side)
    {
        int ceiling = market.Book.Levels(Opposite(side)) is [.., var best] ? FixedPoint.PriceScale - best.Price : FixedPoint.PriceScale;
        int price = market.Definition.Prices.Below(Math.Min(ceiling, FairOf(market, side)));
        if (price > 0) Apply(market, new BookChange(side, price, OrderSize()));
    }

    private void PullLevel(SimulatedMarket market, Side side, Level level)
    {
        long size = random.Next(3) == 0 ? level.Count : Math.Min(level.Count, OrderSize());
        Apply(market, new BookChange(side, level.Price, -size));
    }

    private void TakeOrPull(SimulatedMarket market, Side resting, Level best)
    {
        if (random.Next(2) == 0) Take(market, resting);
        else PullLevel(market, resting, best);
    }

    /// <summary>A taker buys the opposite outcome from the best resting bids, at most so many levels deep.</summary>
    private void Take(SimulatedMarket market, Side resting)
    {
        long wanted = OrderSize();
        for (int depth = 0; depth < LongestSweep && wanted > 0; depth++)
        {
            if (market.Book.Levels(resting) is not [.., var best]) return;
            long count = Math.Min(wanted, best.Count);
            wanted -= count;
            Apply(market, new BookChange(resting, best.Price, -count));
            int yesPrice = resting == Side.Yes ? best.Price : FixedPoint.PriceScale - best.Price;
            var trade = new TradePrint(RandomUuid.Next(random), Opposite(resting), yesPrice, count);
            market.Record(trade, opensInterest: random.Next(3) > 0);
            _trades.Add(trade);
        }
    }

    private void Apply(SimulatedMarket market, BookChange change)
    {
        if (!market.Book.TryApply(change.Side, change.Price, change.Delta))
            throw new InvalidOperationException($"{market.Definition.Ticker}: {change} would take a level below zero");
        _changes.Add(change);
    }

    /// <summary>The best bid of a side when it offers more than the side is worth: stale, after the fair value moved.</summary>
    private static Level? Overpriced(SimulatedMarket market, Side side) =>
        market.Book.Levels(side) is [.., var best] && best.Price >= FairOf(market, side) ? best : null;

    private static int FairOf(SimulatedMarket market, Side side) =>
        side == Side.Yes ? market.FairPrice : FixedPoint.PriceScale - market.FairPrice;

    private static Side Opposite(Side side) => side == Side.Yes ? Side.No : Side.Yes;

    /// <summary>In 1/100 contract: mostly whole contracts, many small and few large.</summary>
    private long OrderSize()
    {
        long contracts = 1 + (long)Math.Exp(random.NextDouble() * 8);
        return contracts * FixedPoint.CountScale + (!wholeContracts && random.Next(4) == 0 ? random.Next(1, FixedPoint.CountScale) : 0);
    }
}
