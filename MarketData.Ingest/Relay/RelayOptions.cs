using System.ComponentModel.DataAnnotations;

namespace MarketData.Ingest.Relay;

/// <summary>From Kafka to Redis; configuration section <c>Relay</c>.</summary>
public sealed class RelayOptions
{
    /// <summary>Whether this process relays. Default true; false where relays run in processes of their own.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Shortest time between two writes of one market's snapshot key, in milliseconds. Default 250. Readers of a key look at it once more
    /// after a second, so it must not be near that.
    /// </summary>
    [Range(10, 500, ErrorMessage = "Relay:SnapshotIntervalMs must be 10 to 500 milliseconds.")]
    public int SnapshotIntervalMs { get; set; } = 250;

    /// <summary>Time between two commits of the consumer group's offsets, in milliseconds. Default 1000.</summary>
    [Range(10, 60_000, ErrorMessage = "Relay:CommitIntervalMs must be 10 to 60000 milliseconds.")]
    public int CommitIntervalMs { get; set; } = 1000;

    /// <summary>Hours after its last write at which a key expires. Keys of books that hold levels are renewed in time. Default 24.</summary>
    [Range(1, 8760, ErrorMessage = "Relay:KeyExpiryHours must be 1 to 8760 hours.")]
    public int KeyExpiryHours { get; set; } = 24;

    /// <summary>Most messages published to Redis in one round trip. Default 1000.</summary>
    [Range(1, 100_000, ErrorMessage = "Relay:BatchMessages must be 1 to 100000 messages.")]
    public int BatchMessages { get; set; } = 1000;
}
