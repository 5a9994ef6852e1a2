namespace MarketData.Tests.Reliability;

/// <summary>Kafka, Redis and ingest are killed in the middle of a busy session, without a word, and started again.</summary>
[Collection("Topology")]
public sealed class OutageTests(ReliabilityTopology topology) : IClassFixture<ReliabilityTopology>
{
    private const int Acts = 100;
    private static readonly int Kills = Environment.GetEnvironmentVariable("MARKETDATA_SOAK") == "1" ? 30 : 2;

    [Fact]
    public async Task A_Kafka_that_is_killed_costs_nothing_but_delay()
    {
        await topology.RunIngestAsync();
        await topology.BooksEqualTruthAsync();
        string? lastTrade = await topology.LastTradeAsync();
        var before = await topology.CountersAsync();

        await using (var session = new BusySession(topology.Exchange))
        {
            await session.GoOnAsync(Acts);
            await topology.Kafka.KillAsync();
            await topology.Ingest.BecomesAsync("kafka", "Unhealthy");
            await session.GoOnAsync(Acts);
            await topology.Kafka.StartAgainAsync();
            await session.GoOnAsync(Acts);
        }

        await topology.EverythingIsRightAsync(lastTrade);
        // Neither a loss nor a new connection was needed.
        Assert.Equal(before, await topology.CountersAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_Redis_that_is_killed_has_all_books_again_afterwards(bool losesItsData)
    {
        await topology.RunIngestAsync();
        await topology.BooksEqualTruthAsync();
        string? lastTrade = await topology.LastTradeAsync();

        await using (var session = new BusySession(topology.Exchange))
        {
            await session.GoOnAsync(Acts);
            await topology.Redis.KillAsync();
            await topology.Ingest.BecomesAsync("relay", "Unhealthy");
            await session.GoOnAsync(Acts);
            topology.Redis.Restart(losesItsData);
            await session.GoOnAsync(Acts);
        }

        await topology.EverythingIsRightAsync(lastTrade);
    }

    [Fact]
    public async Task An_ingest_that_is_killed_at_any_moment_leaves_nothing_wrong_behind()
    {
        var random = new Random(53);
        await topology.RunIngestAsync();
        await topology.BooksEqualTruthAsync();
        string? lastTrade = await topology.LastTradeAsync();
        int begunAgain = topology.Log.StreamsBegunAgain;
        for (int kill = 0; kill < Kills; kill++)
        {
            await using (var session = new BusySession(topology.Exchange))
            {
                // Sometimes before it has read the log back, sometimes while it subscribes, mostly while it follows.
                await session.GoOnAsync(random.Next(Acts * 4));
                await topology.KillIngestAsync(topology.Ingest);
                await session.GoOnAsync(random.Next(Acts));
                await topology.StartIngestAsync();
                if (kill % 2 == 0) await topology.SoundAsync();
                await session.GoOnAsync(random.Next(Acts));
            }

            if (kill % 2 == 0) await topology.EverythingIsRightAsync(lastTrade);
        }

        await topology.EverythingIsRightAsync(lastTrade);
        Assert.Equal(begunAgain, topology.Log.StreamsBegunAgain);
    }
}
