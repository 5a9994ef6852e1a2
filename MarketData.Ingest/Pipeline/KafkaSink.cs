using Confluent.Kafka;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Pipeline;

/// <summary>
/// Hands envelopes to the idempotent producer. When its queue is full the caller waits, so that the exchange's socket is read no
/// further: nothing is dropped here. Also the health check <c>publishing</c>.
/// </summary>
public sealed partial class KafkaSink : IHealthCheck
{
    private static readonly TimeSpan FullQueueWait = TimeSpan.FromMilliseconds(5);
    private readonly IProducer<byte[], byte[]> _producer;
    private readonly string _topic;
    private readonly TimeProvider _time;
    private readonly IngestMetrics _metrics;
    private readonly ILogger<KafkaSink> _logger;
    private readonly Action<DeliveryReport<byte[], byte[]>> _delivered;
    private string? _lastFailure;

    public KafkaSink(IProducer<byte[], byte[]> producer, IOptions<KafkaOptions> options, TimeProvider time, IngestMetrics metrics, ILogger<KafkaSink> logger)
    {
        _producer = producer;
        _topic = options.Value.Topic;
        _time = time;
        _metrics = metrics;
        _logger = logger;
        _delivered = OnDelivered;
    }

    /// <summary>Queues one record; waits while the queue is full.</summary>
    public async ValueTask ProduceAsync(byte[] key, byte[] value, CancellationToken cancellationToken)
    {
        var message = new Message<byte[], byte[]> { Key = key, Value = value };
        while (true)
        {
            try
            {
                _producer.Produce(_topic, message, _delivered);
                return;
            }
            catch (ProduceException<byte[], byte[]> exception) when (exception.Error.Code == ErrorCode.Local_QueueFull)
            {
                await Task.Delay(FullQueueWait, _time, cancellationToken);
            }
        }
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_lastFailure is { } failure
            ? new HealthCheckResult(context.Registration.FailureStatus, $"Kafka refused an envelope: {failure}")
            : HealthCheckResult.Healthy());

    private void OnDelivered(DeliveryReport<byte[], byte[]> report)
    {
        if (!report.Error.IsError)
        {
            _lastFailure = null;
            return;
        }

        _metrics.Dropped("undelivered");
        _lastFailure = report.Error.Reason;
        LogUndelivered(report.Error.Reason);
    }

    [LoggerMessage(30, LogLevel.Error, "Kafka refused an envelope, which is lost: {Reason}")]
    private partial void LogUndelivered(string reason);
}
