using MarketData.Domain.Numbers;

namespace MarketData.MockKalshi.Exchange;

/// <summary>Prices in [Start, End] are multiples of Step; 1/10,000 dollar.</summary>
internal readonly record struct PriceRange(int Start, int End, int Step);

/// <summary>
/// The prices at which a market trades (protocol reference, section 1.10). Every structure here is symmetric about 0.50, so that a NO
/// price and the YES price it mirrors are both allowed.
/// </summary>
/// <param name="Name">The exchange's label; the ranges are the truth.</param>
/// <param name="Ranges">Adjoining, from 0 to 1 dollar.</param>
internal sealed record PriceStructure(string Name, IReadOnlyList<PriceRange> Ranges)
{
    public static readonly PriceStructure LinearCent = new("linear_cent", [new(0, FixedPoint.PriceScale, 100)]);
    public static readonly PriceStructure DeciCent = new("deci_cent", [new(0, FixedPoint.PriceScale, 10)]);

    public static readonly PriceStructure TaperedDeciCent =
        new("tapered_deci_cent", [new(0, 1_000, 10), new(1_000, 9_000, 100), new(9_000, FixedPoint.PriceScale, 10)]);

    public static readonly PriceStructure CenterDeciEdgeCentiCent =
        new("center_deci_edge_centi_cent", [new(0, 100, 1), new(100, 9_900, 10), new(9_900, FixedPoint.PriceScale, 1)]);

    /// <summary>The structure with the next finer ticks, in which every price of this one is allowed; itself when there is none.</summary>
    public PriceStructure Finer() =>
        this == LinearCent ? TaperedDeciCent
        : this == TaperedDeciCent ? DeciCent
        : CenterDeciEdgeCentiCent;

    /// <summary>An order may have this price: a tick between nothing and one dollar.</summary>
    public bool Allows(int price) => price is > 0 and < FixedPoint.PriceScale && Below(price + 1) == price;

    /// <summary>The next allowed price below; 0 or less where there is none to quote at.</summary>
    public int Below(int price)
    {
        for (int i = Ranges.Count - 1; i >= 0; i--)
        {
            var range = Ranges[i];
            if (price > range.Start) return range.Start + (Math.Min(price, range.End) - range.Start - 1) / range.Step * range.Step;
        }

        return 0;
    }

    /// <summary>The next allowed price above; one dollar or more where there is none to quote at.</summary>
    public int Above(int price) => FixedPoint.PriceScale - Below(FixedPoint.PriceScale - price);
}
