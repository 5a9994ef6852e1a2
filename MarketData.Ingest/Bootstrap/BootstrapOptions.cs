using System.ComponentModel.DataAnnotations;

namespace MarketData.Ingest.Bootstrap;

/// <summary>What is read back from the log before the exchange is asked for anything; configuration section <c>Bootstrap</c>.</summary>
public sealed class BootstrapOptions
{
    /// <summary>
    /// Whether books and stream numbers are read back at the start. Default true. Without it every book is published anew, and every count
    /// begins at 1 under a new epoch.
    /// </summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// How far back the log is read, in minutes. Default 120. A market that was silent for longer begins a new count, and its first snapshot is
    /// published.
    /// </summary>
    [Range(1, 525_600, ErrorMessage = "Bootstrap:LookbackMinutes must be 1 to 525600 minutes.")]
    public int LookbackMinutes { get; set; } = 120;
}
