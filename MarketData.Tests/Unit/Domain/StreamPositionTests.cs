using MarketData.Domain.Envelopes;

namespace MarketData.Tests.Unit.Domain;

public class StreamPositionTests
{
    [Fact]
    public void A_position_reads_as_epoch_and_number() => Assert.Equal("1700/42", new StreamPosition(1700, 42).ToString());
}
