namespace MarketData.Tests.Reliability;

/// <summary>Two relays in processes of their own share the log; what one leaves the others take over.</summary>
[Collection("Topology")]
public sealed class RelayHandoverTests
{
    private const int Acts = 100;

    [Fact]
    public async Task Of_two_relays_one_is_killed_and_the_other_stopped_and_no_message_is_lost()
    {
        await using var topology = await ReliabilityTopology.StartAsync();
        var upstream = await topology.StartIngestAsync(("Relay:Enabled", "false"));
        var killed = await StartRelayAsync(topology);
        var stopped = await StartRelayAsync(topology);
        await upstream.BecomesAsync("exchange", "Healthy");
        await topology.BooksEqualTruthAsync();
        string? lastTrade = await topology.LastTradeAsync();

        await using (var session = new BusySession(topology.Exchange))
        {
            await PublishesAsync(killed);
            await PublishesAsync(stopped);
            await topology.KillIngestAsync(killed);
            await session.GoOnAsync(Acts);
            var third = await StartRelayAsync(topology);
            await PublishesAsync(third);
            await topology.StopIngestAsync(stopped);
            await session.GoOnAsync(Acts);
        }

        await topology.BooksEqualTruthAsync();
        await topology.TradesAreThereAsync(lastTrade);
        await Eventually.TrueAsync(() => topology.Client.HasCome(topology.Log.Positions), () => "all that is in the log was published");
        Assert.Empty(topology.Client.TakeHoles());
        Assert.Empty(topology.Log.TakeFaults());
    }

    private static Task<IngestProcess> StartRelayAsync(ReliabilityTopology topology) => topology.StartIngestAsync(("Upstream:Enabled", "false"));

    private static Task PublishesAsync(IngestProcess relay) => Eventually.TrueAsync(
        async () => (await relay.StatsAsync()).GetProperty("relay").GetProperty("messagesPublished").GetInt64() > 0, () => $"the relay has a share:\n{relay.Output}");
}
