using Confluent.Kafka;

namespace Aspire.Confluent.Kafka;

/// <summary>Settings of a Kafka consumer: section <c>Aspire:Confluent:Kafka:Consumer</c>, then <c>…:{connectionName}</c>.</summary>
public sealed class KafkaConsumerSettings
{
    /// <summary>Bootstrap servers, <c>host:port</c> separated by commas. <c>ConnectionStrings:{connectionName}</c> overrides the sections.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>librdkafka's consumer settings. <c>GroupId</c> is required.</summary>
    public ConsumerConfig Config { get; } = new();

    /// <summary>No message counts and queue sizes from librdkafka's statistics. Default: false, every second.</summary>
    public bool DisableMetrics { get; set; }

    /// <summary>No health check <c>Aspire.Confluent.Kafka.Consumer</c>. Default: false.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>
    /// No span for each message. The local consumer never starts one, because a span would cost more than its message; the setting is here for
    /// Aspire's consumer, which does unless told.
    /// </summary>
    public bool DisableTracing { get; set; }
}
