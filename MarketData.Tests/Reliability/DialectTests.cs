namespace MarketData.Tests.Reliability;

/// <summary>The older protocols of the exchange and of its first mock come to the same envelopes and books.</summary>
[Collection("Topology")]
public sealed class DialectTests
{
    private const int Acts = 100;

    [Theory]
    [InlineData("cents", "kalshi", "skip:channel=orderbook_delta,after=100")]
    [InlineData("cents", "kalshi", "drop:how=abort,after=100")]
    [InlineData("seed-flat", "seed", "drop:how=abort,after=100")]
    [InlineData("seed-flat", "seed", "negative-level:after=100")]
    public async Task Books_are_the_exchanges_in_the_dialect(string dialect, string option, string fault)
    {
        await using var topology = await StartAsync(dialect, option);
        await topology.BooksEqualTruthAsync();
        await using (var session = new BusySession(topology.Exchange))
        {
            await session.GoOnAsync(Acts);
            await topology.StrikeAsync(fault);
            await session.GoOnAsync(Acts);
        }

        await topology.BooksEqualTruthAsync();
        await topology.SoundAsync();
        Assert.Empty(topology.Log.TakeFaults());
        Assert.Empty(topology.Client.TakeHoles());
        Assert.True(topology.Log.StaleMarkers > 0);
    }

    [Theory]
    [InlineData("cents", "kalshi")]
    [InlineData("seed-flat", "seed")]
    [InlineData("seed", "seed")]
    public async Task Every_trade_is_in_the_log_and_every_copy_of_a_book_is_the_same_in_the_dialect(string dialect, string option)
    {
        await using var topology = await StartAsync(dialect, option);
        string? lastTrade = await topology.LastTradeAsync();
        await using (var session = new BusySession(topology.Exchange))
        {
            await topology.StrikeAsync("newline:count=20");
            await session.GoOnAsync(Acts);
        }

        await topology.TradesAreThereAsync(lastTrade);
        await topology.BooksAgreeAsync();
        await topology.SoundAsync();
        Assert.Empty(topology.Log.TakeFaults());
        Assert.Empty(topology.Client.TakeHoles());
        Assert.True(topology.Log.Records["orderbook_delta"] > 0 && topology.Log.Records["ticker_v2"] > 0);
    }

    private static async Task<ReliabilityTopology> StartAsync(string dialect, string option)
    {
        var topology = await ReliabilityTopology.StartAsync("--dialect", dialect);
        await topology.RunIngestAsync(("Upstream:Dialect", option));
        return topology;
    }
}
