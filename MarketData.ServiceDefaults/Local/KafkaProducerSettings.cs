using Confluent.Kafka;

namespace Aspire.Confluent.Kafka;

/// <summary>Settings of a Kafka producer: section <c>Aspire:Confluent:Kafka:Producer</c>, then <c>…:{connectionName}</c>.</summary>
public sealed class KafkaProducerSettings
{
    /// <summary>Bootstrap servers, <c>host:port</c> separated by commas. <c>ConnectionStrings:{connectionName}</c> overrides the sections.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>librdkafka's producer settings.</summary>
    public ProducerConfig Config { get; } = new();

    /// <summary>No message counts and queue sizes from librdkafka's statistics. Default: false, every second.</summary>
    public bool DisableMetrics { get; set; }

    /// <summary>No health check <c>Aspire.Confluent.Kafka.Producer</c>. Default: false.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>
    /// No span for each message. The local producer never starts one, because a span would cost more than its message; the setting is here for
    /// Aspire's producer, which does unless told.
    /// </summary>
    public bool DisableTracing { get; set; }
}
