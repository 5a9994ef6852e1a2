using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Pipeline;

/// <summary>Creates topics that are absent; waits for a Kafka that is away.</summary>
public sealed partial class KafkaTopic(IProducer<byte[], byte[]> producer, IOptions<KafkaOptions> options, TimeProvider time, ILogger<KafkaTopic> logger)
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5), MaxWait = TimeSpan.FromSeconds(10);

    /// <summary>Returns when the topic of all envelopes is there.</summary>
    public Task EnsureAsync(CancellationToken cancellationToken) => EnsureAsync(
        new TopicSpecification
        {
            Name = options.Value.Topic,
            NumPartitions = options.Value.Partitions,
            // The broker's default.
            ReplicationFactor = -1,
            Configs = new Dictionary<string, string>
            {
                ["retention.ms"] = TimeSpan.FromHours(options.Value.RetentionHours).TotalMilliseconds.ToString(CultureInfo.InvariantCulture),
            },
        },
        cancellationToken);

    /// <summary>Returns when a topic is there: as it is specified, unless it was there before.</summary>
    public async Task EnsureAsync(TopicSpecification topic, CancellationToken cancellationToken)
    {
        using var admin = new DependentAdminClientBuilder(producer.Handle).Build();
        var wait = TimeSpan.FromSeconds(0.25);
        while (true)
        {
            try
            {
                await CreateAsync(admin, topic);
                return;
            }
            catch (KafkaException exception)
            {
                LogWaiting(exception is CreateTopicsException refused ? refused.Results[0].Error.Reason : exception.Error.Reason, wait.TotalSeconds);
            }

            await Task.Delay(wait * (0.5 + Random.Shared.NextDouble() / 2), time, cancellationToken);
            wait = wait * 2 < MaxWait ? wait * 2 : MaxWait;
        }
    }

    private async Task CreateAsync(IAdminClient admin, TopicSpecification topic)
    {
        try
        {
            await admin.CreateTopicsAsync([topic], new CreateTopicsOptions { RequestTimeout = RequestTimeout, OperationTimeout = RequestTimeout });
            LogCreated(topic.Name, topic.NumPartitions);
        }
        catch (CreateTopicsException exception) when (exception.Results[0].Error.Code == ErrorCode.TopicAlreadyExists)
        {
            LogExists(topic.Name);
        }
    }

    [LoggerMessage(20, LogLevel.Information, "Created topic {Topic} with {Partitions} partitions.")]
    private partial void LogCreated(string topic, int partitions);

    [LoggerMessage(21, LogLevel.Information, "Topic {Topic} is there.")]
    private partial void LogExists(string topic);

    [LoggerMessage(22, LogLevel.Warning, "Kafka is not ready: {Reason}. Asking again in {Seconds:F1} s.")]
    private partial void LogWaiting(string reason, double seconds);
}
