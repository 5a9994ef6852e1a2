using MarketData.Tests.Unit.MockKalshi;

namespace MarketData.Tests.Reliability;

/// <summary>What a fault upstream costs.</summary>
public enum Cost
{
    /// <summary>Nothing at all: no marker, no trade.</summary>
    Nothing,

    /// <summary>Messages of a subscription without books.</summary>
    OtherMessages,

    /// <summary>Books are stale until they are asked for anew on the same connection.</summary>
    Books,

    /// <summary>All books are stale until the next connection.</summary>
    Connection,
}

/// <summary>
/// Each fault that an exchange may have strikes in the middle of a busy session. Afterwards every book is the exchange's, and what was
/// lost was said.
/// </summary>
[Collection("Topology")]
public sealed class UpstreamFaultTests(ReliabilityTopology topology) : IClassFixture<ReliabilityTopology>
{
    private const string Drop = ";drop:how=abort,after=200", Skip = ";skip:channel=orderbook_delta,after=200";
    private const int ActsAfter = 100;

    // Several faults are separated by semicolons; those that need a command or a handshake come with the fault that causes it.
    private static readonly (string Faults, Cost Cost)[] Always =
    [
        ("stop-pinging", Cost.Nothing),
        ("reorder:channel=trade,after=10", Cost.Nothing),
        ("huge:type=orderbook_delta,after=200,bytes=200000", Cost.Nothing),
        ("split:fragments=5,count=200", Cost.Nothing),
        ("newline:count=200", Cost.Nothing),
        ("rest-status:status=503,path=/trade-api/v2/markets", Cost.Nothing),
        ("slow-rest:milliseconds=1000,path=/trade-api/v2/markets", Cost.Nothing),
        ("duplicate:type=trade,after=10", Cost.OtherMessages),
        ("skip:channel=trade,after=10,count=3", Cost.OtherMessages),
        ("skip:channel=orderbook_delta,after=200,count=3", Cost.Books),
        ("duplicate:type=orderbook_delta,after=200", Cost.Books),
        ("negative-level:after=200", Cost.Books),
        ("malformed:type=orderbook_delta,after=200", Cost.Books),
        ("delay-ack:milliseconds=500" + Skip, Cost.Books),
        ("error:code=10,channel=orderbook_delta,after=200", Cost.Books),
        ("error:code=25,channel=orderbook_delta,after=200", Cost.Books),
        ("error:code=26" + Skip, Cost.Books),
        ("error:code=27,count=2" + Skip, Cost.Books),
        ("drop:how=close,after=200", Cost.Connection),
        ("drop:how=abort,after=200", Cost.Connection),
        ("stop-reading" + Skip, Cost.Connection),
        ("handshake-status:status=429" + Drop, Cost.Connection),
    ];

    // The same kinds at other places, or with long waits.
    private static readonly (string Faults, Cost Cost)[] WhenSoaking =
    [
        ("malformed:type=trade,after=10", Cost.OtherMessages),
        ("error:code=25,channel=trade,after=10", Cost.OtherMessages),
        ("reorder:channel=orderbook_delta,after=200", Cost.Nothing),
        ("error:code=10,channel=trade,after=10", Cost.OtherMessages),
        ("error:code=25,channel=ticker,after=10", Cost.OtherMessages),
        ("malformed:type=orderbook_snapshot,after=2" + Skip, Cost.Books),
        ("delay-ack:milliseconds=5500" + Skip, Cost.Books),
        ("huge:type=orderbook_delta,after=200,bytes=3000000", Cost.Connection),
        ("malformed:type=orderbook_snapshot" + Drop, Cost.Connection),
        ("delay-ack:milliseconds=20000" + Drop, Cost.Connection),
        ("error:code=26,after=3" + Drop, Cost.Connection),
        ("error:code=27,count=3" + Drop, Cost.Connection),
        ("handshake-status:status=401" + Drop, Cost.Connection),
        ("handshake-status:status=503,count=2" + Drop, Cost.Connection),
        ("rest-status:status=429,count=2,path=/trade-api/v2/markets" + Drop, Cost.Connection),
    ];

    public static TheoryData<string, Cost> Faults =>
        [.. Environment.GetEnvironmentVariable("MARKETDATA_SOAK") == "1" ? [.. Always, .. WhenSoaking] : Always];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Books_are_the_exchanges_and_every_loss_was_said_after(string faults, Cost cost)
    {
        await topology.RunIngestAsync();
        await topology.BooksEqualTruthAsync();
        var before = await topology.CountersAsync();
        var lastTrade = await topology.LastTradeAsync();

        await using (var session = new BusySession(topology.Exchange))
        {
            await topology.StrikeAsync(faults);
            await session.GoOnAsync(ActsAfter);
            // What lasts of a fault ends with the connection that it struck, or when it is removed.
            if (cost == Cost.Connection) await Eventually.TrueAsync(async () => (await topology.CountersAsync()).Reconnects > 0, () => $"there is a new connection:\n{topology.Ingest.Output}");
            await topology.Exchange.RemoveAllFaultsAsync();
            await session.GoOnAsync(ActsAfter);
        }

        await topology.EverythingIsRightAsync(lastTrade);
        var after = await topology.CountersAsync();
        Assert.Equal(cost is Cost.Books or Cost.Connection, after.StaleMarkers > before.StaleMarkers);
        Assert.Equal(cost == Cost.Connection, after.Reconnects > before.Reconnects);
    }
}
