using System.ComponentModel.DataAnnotations;

namespace MarketData.MockKalshi.Exchange;

/// <summary>The simulated exchange, section <c>Simulation</c>; not used while a recording is played.</summary>
internal sealed class SimulationOptions
{
    public const string Section = "Simulation";

    /// <summary>Open markets at any time. Default 40.</summary>
    [Range(1, 20_000, ErrorMessage = "Simulation:Markets (--markets) must be between 1 and 20,000.")]
    public int Markets { get; set; } = 40;

    /// <summary>Book changes a second over all markets; 0 leaves every book as it begins. Default 100.</summary>
    [Range(0, 100_000, ErrorMessage = "Simulation:Rate (--rate) must be between 0 and 100,000 book changes a second.")]
    public double Rate { get; set; } = 100;

    /// <summary>The same seed gives the same markets, the same books and, until the first market closes, the same changes. Default 1.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>How long the short-lived markets (every eighth) are open before they close, settle and are followed by new ones. Default 15 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ErrorMessage = "Simulation:ShortMarketLife must be between 1 s and 1 day.")]
    public TimeSpan ShortMarketLife { get; set; } = TimeSpan.FromMinutes(15);
}
