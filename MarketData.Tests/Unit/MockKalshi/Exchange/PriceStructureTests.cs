using CsCheck;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange;

namespace MarketData.Tests.Unit.MockKalshi.Exchange;

public class PriceStructureTests
{
    private static readonly PriceStructure[] All =
        [PriceStructure.LinearCent, PriceStructure.TaperedDeciCent, PriceStructure.DeciCent, PriceStructure.CenterDeciEdgeCentiCent];

    private static readonly Gen<PriceStructure> AnyStructure = Gen.Int[0, All.Length - 1].Select(index => All[index]);

    [Theory]
    [InlineData("linear_cent", 99)]
    [InlineData("tapered_deci_cent", 100 + 80 + 99)]
    [InlineData("deci_cent", 999)]
    [InlineData("center_deci_edge_centi_cent", 100 + 980 + 99)]
    public void A_structure_allows_the_ticks_of_its_ranges(string name, int prices)
    {
        var structure = Array.Find(All, structure => structure.Name == name)!;

        Assert.Equal(prices, Enumerable.Range(0, FixedPoint.PriceScale + 1).Count(structure.Allows));
    }

    [Fact]
    public void A_price_of_one_outcome_is_allowed_when_its_mirror_is() =>
        Gen.Select(AnyStructure, Gen.Int[-10, FixedPoint.PriceScale + 10])
            .Sample((structure, price) => structure.Allows(price) == structure.Allows(FixedPoint.PriceScale - price));

    [Fact]
    public void The_next_price_below_is_the_highest_allowed_one_below() =>
        Gen.Select(AnyStructure, Gen.Int[1, FixedPoint.PriceScale]).Sample((structure, price) =>
            structure.Below(price) == Enumerable.Range(0, price).Last(lower => lower == 0 || structure.Allows(lower)));

    [Fact]
    public void Finer_ticks_keep_every_price_that_rests()
    {
        foreach (var structure in All)
            Assert.All(Enumerable.Range(1, FixedPoint.PriceScale - 1).Where(structure.Allows), price => Assert.True(structure.Finer().Allows(price)));
    }
}
