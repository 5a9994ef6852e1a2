using MarketData.Tests.Integration;

namespace MarketData.Tests.Reliability;

/// <summary>Parts of the running topology are stopped and started in the middle of a busy session.</summary>
[Collection("Topology")]
public sealed class RestartTests
{
    [Theory]
    [InlineData("ingest")]
    [InlineData("gateway")]
    [InlineData("redis")]
    [InlineData("kafka")]
    public async Task Books_are_right_after_a_restart_in_the_middle(string resource)
    {
        using var folder = new TemporaryFolder();
        var session = RecordedSession.FiveMarkets(folder.Path);
        await using var topology = await Topology.StartAsync(session.Path, speed: "30");
        await using var before = await MarketDataClient.ConnectAsync(topology.Gateway, "all");
        await Eventually.TrueAsync(() => before.Count > 300, TimeSpan.FromSeconds(60), () => $"the session is under way; {before.Count} envelopes");

        await topology.StopAsync(resource);
        await topology.StartAsync(resource);

        await using var after = await MarketDataClient.ConnectAsync(topology.Gateway, "all");
        await after.HoldsAsync(session.Books);
        Assert.Empty(after.Faults);
        // A client of a restarted gateway is told by the close; every other one stays connected and ends with the right books.
        if (resource == "gateway") return;
        await before.HoldsAsync(session.Books);
        Assert.Empty(before.Faults);
    }
}
