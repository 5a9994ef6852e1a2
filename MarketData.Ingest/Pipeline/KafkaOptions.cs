using System.ComponentModel.DataAnnotations;
using MarketData.Domain.Channels;

namespace MarketData.Ingest.Pipeline;

/// <summary>The durable log; configuration section <c>Kafka</c>.</summary>
public sealed class KafkaOptions
{
    /// <summary>Topic of all envelopes. Default <c>market-data-all</c>.</summary>
    [RegularExpression("^[a-zA-Z0-9._-]{1,249}$", ErrorMessage = "Kafka:Topic must be 1 to 249 letters, digits, dots, underscores or hyphens.")]
    public string Topic { get; set; } = KafkaNames.Topic;

    /// <summary>Partitions of the topic when it has to be created. Default 8.</summary>
    [Range(1, 10_000, ErrorMessage = "Kafka:Partitions must be 1 to 10000.")]
    public int Partitions { get; set; } = 8;

    /// <summary>Hours that the topic keeps when it has to be created. Default 4.</summary>
    [Range(1, 8760, ErrorMessage = "Kafka:RetentionHours must be 1 to 8760 hours.")]
    public int RetentionHours { get; set; } = 4;

    /// <summary>
    /// Envelopes that wait for a Kafka that is away or slow, in memory. Above three quarters of it order books and tickers are left out; trades
    /// and life cycle have all of it, and when it is full the exchange is read no further. Default 200,000.
    /// </summary>
    [Range(1000, 10_000_000, ErrorMessage = "Kafka:QueueMessages must be 1000 to 10000000 messages.")]
    public int QueueMessages { get; set; } = 200_000;

    /// <summary>Most memory of what waits for Kafka, in MiB; when it is full the exchange is read no further. Default 256.</summary>
    [Range(16, 65_536, ErrorMessage = "Kafka:QueueMegabytes must be 16 to 65536 MiB.")]
    public int QueueMegabytes { get; set; } = 256;
}
