namespace MarketData.MockKalshi.Exchange;

/// <summary>The simulated exchange, section <c>Simulation</c>; not used while a recording is played.</summary>
internal sealed class SimulationOptions
{
    public const string Section = "Simulation";

    /// <summary>Open markets at any time. Default 40.</summary>
    public int Markets { get; set; } = 40;

    /// <summary>Book changes a second of exchange time over all markets; 0 leaves every book as it begins. Default 100.</summary>
    public double Rate { get; set; } = 100;

    /// <summary>
    /// Acts of participants in one burst: so many at one millisecond in one market, about every 300th act; longer pauses make up for
    /// it. 1 for no bursts. Default 25.
    /// </summary>
    public int Burst { get; set; } = 25;

    /// <summary>The same seed and start give the same markets and the same sequence of changes, trades and messages. Default 1.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>Exchange time at which the exchange begins; null for the present.</summary>
    public DateTimeOffset? Start { get; set; }

    /// <summary>Seconds of exchange time in a second of real time. Default 1.</summary>
    public double ClockSpeed { get; set; } = 1;

    /// <summary>
    /// Markets tick in cents and orders are of whole contracts, as until 2026. Default false; the older dialects, which have no other
    /// numbers, make it true.
    /// </summary>
    public bool WholeUnits { get; set; }

    /// <summary>
    /// How long the short-lived markets (every eighth) are open before they close, settle and are followed by new ones. Default 15 min.
    /// </summary>
    public TimeSpan ShortMarketLife { get; set; } = TimeSpan.FromMinutes(15);
}
