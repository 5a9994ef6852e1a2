using MarketData.Domain.Books;
using MarketData.Domain.Numbers;

namespace MarketData.MockKalshi.Exchange.Matching;

/// <summary>
/// What one customer holds in one market. YES and NO of one market pay a dollar together, so they cancel out and only the difference is
/// held. Money in 1/1,000,000 dollar, counts in 1/100 contract.
/// </summary>
internal sealed class Position
{
    /// <summary>YES contracts when positive, NO contracts when negative.</summary>
    public long Net { get; private set; }

    /// <summary>What the held contracts cost.</summary>
    public long Cost { get; private set; }

    /// <summary>What contracts that are not held any more brought above their cost.</summary>
    public long RealizedProfit { get; private set; }

    /// <summary>Contracts ever traded.</summary>
    public long Volume { get; private set; }

    /// <param name="side">The outcome that is bought.</param>
    /// <param name="price">For one contract of it, 1/10,000 dollar.</param>
    /// <param name="count">Contracts.</param>
    public void Buy(Side side, int price, long count)
    {
        Volume += count;
        long held = side == Side.Yes ? -Net : Net;
        long closed = Math.Clamp(held, 0, count);
        if (closed > 0)
        {
            // Buying the other outcome gives a dollar back for each pair. The cost goes in proportion, rounded towards zero.
            long released = (long)((Int128)Cost * closed / held);
            RealizedProfit += closed * (FixedPoint.PriceScale - price) - released;
            Cost -= released;
        }

        Cost += (count - closed) * price;
        Net += side == Side.Yes ? count : -count;
    }
}
