using MarketData.Ingest.Upstream;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>Which connection follows which market.</summary>
public sealed class MarketAssignmentTests
{
    private readonly MarketAssignment _assignment = new(marketsPerConnection: 2);

    [Fact]
    public void Without_markets_there_is_one_connection()
    {
        _assignment.Update([]);
        Assert.Equal(1, _assignment.Connections);
        Assert.Empty(_assignment.Of(0));
    }

    [Fact]
    public void Markets_fill_one_connection_after_the_other()
    {
        _assignment.Update(["A", "B", "C"]);
        Assert.Equal(["A", "B"], _assignment.Of(0));
        Assert.Equal(["C"], _assignment.Of(1));
    }

    [Fact]
    public void A_market_stays_where_it_is_and_a_new_one_takes_the_place_of_one_that_is_gone()
    {
        _assignment.Update(["A", "B", "C"]);
        _assignment.Update(["C", "D", "B", "E"]);
        Assert.Equal(["B", "D"], _assignment.Of(0).Order());
        Assert.Equal(["C", "E"], _assignment.Of(1).Order());
        Assert.Equal(2, _assignment.Connections);
    }
}
