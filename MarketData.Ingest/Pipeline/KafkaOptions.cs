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
}
