using MarketData.Domain.Books;
using MarketData.Domain.Numbers;

namespace MarketData.MockKalshi.Exchange.Matching;

/// <summary>
/// Who holds how much in one market. Every trade makes or moves as many YES as NO contracts, so both add up to the open interest.
/// Not thread-safe.
/// </summary>
internal sealed class PositionBook
{
    private readonly Dictionary<string, Position> _byCustomer = new(StringComparer.Ordinal);

    /// <summary>Contracts of each outcome that somebody holds, 1/100 contract.</summary>
    public long OpenInterest { get; private set; }

    public IReadOnlyDictionary<string, Position> ByCustomer => _byCustomer;

    public Position Of(string customer)
    {
        if (!_byCustomer.TryGetValue(customer, out var position)) _byCustomer.Add(customer, position = new Position());
        return position;
    }

    public void Record(in TradePrint print, string taker, string maker)
    {
        Buy(taker, print.Taker, print);
        Buy(maker, MatchingEngine.Opposite(print.Taker), print);
    }

    private void Buy(string customer, Side side, in TradePrint print)
    {
        var position = Of(customer);
        long before = Math.Max(position.Net, 0);
        position.Buy(side, side == Side.Yes ? print.YesPrice : FixedPoint.PriceScale - print.YesPrice, print.Count);
        OpenInterest += Math.Max(position.Net, 0) - before;
    }
}
