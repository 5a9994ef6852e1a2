namespace MarketData.Tests.Reliability;

/// <summary>Two ingest processes run; the one that leads is killed or halted in the middle of a busy session, and the other goes on.</summary>
[Collection("Topology")]
public sealed class HighAvailabilityTests(ReliabilityTopology topology) : IClassFixture<ReliabilityTopology>
{
    private const int Acts = 100, MostRounds = 10;
    private static readonly int Rounds = Environment.GetEnvironmentVariable("MARKETDATA_SOAK") == "1" ? 10 : 1;

    [Fact]
    public async Task When_the_leader_is_killed_the_other_reads_the_log_back_and_goes_on()
    {
        await topology.RunIngestAsync();
        for (int round = 0; round < Rounds; round++)
        {
            var leader = topology.Ingest;
            await HandOverAsync(async (_, other) =>
            {
                await topology.KillIngestAsync(leader);
                await other.LeadsAsync("active");
                await topology.SoundAsync();
            });
        }
    }

    [Fact]
    public async Task A_leader_that_is_halted_is_replaced_and_does_no_harm_when_it_goes_on()
    {
        await topology.RunIngestAsync();
        // Until it was once quick enough to write something before it read that it was replaced.
        for (int round = 0; round < Rounds || (topology.Log.Fenced == 0 && round < MostRounds); round++)
        {
            var leader = topology.Ingest;
            var next = await HandOverAsync(async (session, other) =>
            {
                await leader.HaltAsync();
                await session.GoOnAsync(Acts);
                await other.LeadsAsync("active");
                await topology.SoundAsync();
                await session.GoOnAsync(Acts);
                // It still has what the exchange sent meanwhile, and does not know yet that it was replaced.
                await leader.GoOnAsync();
                await leader.LeadsAsync("standby");
            });
            Assert.Equal(1, (await next.StatsAsync()).GetProperty("leadership").GetProperty("termsLed").GetInt32());
            await topology.StopIngestAsync(leader);
        }

        Assert.True(topology.Log.Fenced > 0);
    }

    // A second process stands by, which is the topology's own from now on; after what happens it leads, and everything is right.
    private async Task<IngestProcess> HandOverAsync(Func<BusySession, IngestProcess, Task> happens)
    {
        var other = await topology.StartIngestAsync();
        await other.LeadsAsync("standby");
        await topology.BooksEqualTruthAsync();
        string? lastTrade = await topology.LastTradeAsync();
        int begunAgain = topology.Log.StreamsBegunAgain;

        await using (var session = new BusySession(topology.Exchange))
        {
            await session.GoOnAsync(Acts);
            await happens(session, other);
            await session.GoOnAsync(Acts);
        }

        await topology.EverythingIsRightAsync(lastTrade);
        // No stream counts from 1 again: the new leader knew the books and numbers before it asked the exchange for anything.
        var bootstrap = (await other.StatsAsync()).GetProperty("bootstrap");
        Assert.Equal("done", bootstrap.GetProperty("state").GetString());
        Assert.True(bootstrap.GetProperty("books").GetInt32() > 0);
        Assert.Equal(begunAgain, topology.Log.StreamsBegunAgain);
        return other;
    }
}
