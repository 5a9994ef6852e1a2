using System.ComponentModel.DataAnnotations;

namespace MarketData.Ingest.Leadership;

/// <summary>Which of several ingest processes takes the exchange's feed; configuration section <c>Leadership</c>.</summary>
public sealed class LeadershipOptions
{
    /// <summary>Topic of the election, one partition, made at the start if absent. Default <c>market-data-ingest-lease</c>.</summary>
    [RegularExpression("^[a-zA-Z0-9._-]{1,249}$", ErrorMessage = "Leadership:Topic must be 1 to 249 letters, digits, dots, underscores or hyphens.")]
    public string Topic { get; set; } = "market-data-ingest-lease";

    /// <summary>Milliseconds of silence after which another process takes over. Default 5000.</summary>
    [Range(1000, 600_000, ErrorMessage = "Leadership:LeaseMs must be 1000 to 600000 milliseconds.")]
    public int LeaseMs { get; set; } = 5000;

    /// <summary>Milliseconds between two signs of life, at most a quarter of <see cref="LeaseMs"/>. Default 1000.</summary>
    [Range(50, 150_000, ErrorMessage = "Leadership:HeartbeatMs must be 50 to 150000 milliseconds.")]
    public int HeartbeatMs { get; set; } = 1000;
}
