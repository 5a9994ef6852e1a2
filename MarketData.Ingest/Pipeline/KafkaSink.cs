using Confluent.Kafka;
using MarketData.Domain.Channels;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Pipeline;

/// <summary>
/// Hands envelopes to the idempotent producer. When its queue is full the caller waits, so that the exchange's socket is read no
/// further: nothing is dropped here. An envelope that Kafka refuses is told to the caller with the next one. Also the health check
/// <c>publishing</c>.
/// </summary>
public sealed partial class KafkaSink(
    IProducer<byte[], byte[]> producer,
    ProducerRenewal renewal,
    IOptions<KafkaOptions> options,
    TimeProvider time,
    IngestMetrics metrics,
    StageLatencies latencies,
    ILogger<KafkaSink> logger) : IHealthCheck, IDisposable
{
    private static readonly TimeSpan FullQueueWait = TimeSpan.FromMilliseconds(5), FlushTimeout = TimeSpan.FromSeconds(5);

    // A burst fills the queue for a moment; a Kafka that is away does so for longer.
    private static readonly TimeSpan UnhealthyWhenFullFor = TimeSpan.FromSeconds(5);

    /// <summary>One record of so many is timed: a timed one costs an object of its own.</summary>
    private const int TimedEvery = 64;

    // Shares of the queue: above the first only what cannot be asked for anew goes in, until it is down to the second.
    private const double NearlyFull = 0.75, HasRoom = 0.25;

    private IProducer<byte[], byte[]> _producer = producer;

    // Of this producer: what a former one held is no longer waited for.
    private Queue _queue = new();
    private volatile bool _isNearlyFull;
    private int _untimed;

    // Written by librdkafka's thread: the last refusal, for health until a delivery succeeds, and for the caller until it is told.
    private volatile string? _failure, _untold;
    private long _fullSince = long.MaxValue;
    private Action<DeliveryReport<byte[], byte[]>>? _delivered;

    /// <summary>Envelopes that wait for Kafka's acknowledgement.</summary>
    public long Queued => Volatile.Read(ref _queue).Count;

    /// <summary>Whether Kafka has taken less than it was given for so long that the queue is needed for what cannot be asked for anew.</summary>
    public bool IsNearlyFull
    {
        get
        {
            double share = (double)Queued / options.Value.QueueMessages;
            if (share >= NearlyFull && !_isNearlyFull) LogSpilling(Queued);
            return _isNearlyFull = share >= (_isNearlyFull ? HasRoom : NearlyFull);
        }
    }

    /// <summary>Queues one record; waits while the queue is full. One caller at a time.</summary>
    /// <param name="key">The market.</param>
    /// <param name="value">The envelope.</param>
    /// <param name="receivedAt">When its frame was received, on the monotonic clock.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="EnvelopeLostException">This envelope or an earlier one is lost: books need new snapshots.</exception>
    public async ValueTask ProduceAsync(byte[] key, byte[] value, long receivedAt, CancellationToken cancellationToken)
    {
        if (_untold is { } untold)
        {
            _untold = null;
            throw new EnvelopeLostException(untold);
        }

        var message = new Message<byte[], byte[]> { Key = key, Value = value };
        var delivered = ++_untimed % TimedEvery == 0 ? Timed(receivedAt, _queue) : _delivered ??= Untimed(_queue);
        _queue.Add();
        if (TryProduce(message, delivered)) return;
        Volatile.Write(ref _fullSince, time.GetTimestamp());
        do await Task.Delay(FullQueueWait, time, cancellationToken);
        while (!TryProduce(message, delivered));
        Volatile.Write(ref _fullSince, long.MaxValue);
    }

    /// <summary>
    /// Writes a new leader's mark to every partition: whatever a former leader still brings to the log comes behind it, with a lower term,
    /// and counts for nobody. Waits for a Kafka that is away.
    /// </summary>
    /// <param name="mark">An envelope that carries the term.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="KafkaException">Kafka refused it.</exception>
    public async Task FenceAsync(byte[] mark, CancellationToken cancellationToken)
    {
        using var admin = new DependentAdminClientBuilder(_producer.Handle).Build();
        var topic = (await Task.Run(() => admin.GetMetadata(options.Value.Topic, FlushTimeout), cancellationToken)).Topics[0];
        if (topic.Error.IsError) throw new KafkaException(topic.Error);
        var message = new Message<byte[], byte[]> { Key = KafkaNames.NoMarketKey.ToArray(), Value = mark };
        await Task.WhenAll(topic.Partitions.Select(
            partition => _producer.ProduceAsync(new TopicPartition(options.Value.Topic, partition.PartitionId), message, cancellationToken)));
    }

    /// <summary>Another process leads: what is queued is void, so a new producer begins without it.</summary>
    public void Abandon() => Renew("another process leads");

    /// <summary>Waits until everything queued is delivered, for at most 5 s.</summary>
    public void Flush()
    {
        int left = _producer.Flush(FlushTimeout);
        if (left > 0) LogNotFlushed(left, FlushTimeout.TotalSeconds);
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            _failure is { } failure ? new HealthCheckResult(context.Registration.FailureStatus, $"Kafka refused an envelope: {failure}")
            : IsFullForLong() ? new HealthCheckResult(context.Registration.FailureStatus, "The queue to Kafka is full: the exchange is read no further until Kafka takes more.")
            : _isNearlyFull ? HealthCheckResult.Degraded("Kafka takes less than the exchange brings: order books and tickers are left out until it has caught up, then asked for anew.")
            : HealthCheckResult.Healthy());

    public void Dispose() => _producer.Dispose();

    private bool IsFullForLong()
    {
        long since = Volatile.Read(ref _fullSince);
        return since != long.MaxValue && time.GetElapsedTime(since) > UnhealthyWhenFullFor;
    }

    // False when the queue is full.
    private bool TryProduce(Message<byte[], byte[]> message, Action<DeliveryReport<byte[], byte[]>> delivered)
    {
        try
        {
            _producer.Produce(options.Value.Topic, message, delivered);
            return true;
        }
        catch (ProduceException<byte[], byte[]> exception) when (exception.Error.Code == ErrorCode.Local_QueueFull)
        {
            return false;
        }
        catch (ProduceException<byte[], byte[]> exception) when (exception.Error.Code == ErrorCode.MsgSizeTooLarge)
        {
            // New snapshots would bring the same again, so the caller is not told: the hole in the market's numbers says it to consumers.
            _queue.Remove();
            Refused(exception.Error);
            return true;
        }
        catch (ProduceException<byte[], byte[]> exception)
        {
            _queue.Remove();
            Refused(exception.Error);
            if (renewal.FatalError is { } reason) Renew(reason);
            throw new EnvelopeLostException(exception.Error.Reason);
        }
    }

    // librdkafka gives an idempotent producer up for good when it can no longer promise order without loss. What it still held is lost.
    private void Renew(string reason)
    {
        LogRenewed(reason);
        var old = _producer;
        _producer = renewal.Build();
        Volatile.Write(ref _queue, new Queue());
        _delivered = null;
        old.Dispose();
    }

    private Action<DeliveryReport<byte[], byte[]>> Timed(long receivedAt, Queue queue) => report =>
    {
        if (!report.Error.IsError) latencies.Record(Stage.Acknowledged, time.GetElapsedTime(receivedAt));
        OnDelivered(report, queue);
    };

    private Action<DeliveryReport<byte[], byte[]>> Untimed(Queue queue) => report => OnDelivered(report, queue);

    private void OnDelivered(DeliveryReport<byte[], byte[]> report, Queue queue)
    {
        queue.Remove();
        if (report.Error.IsError)
        {
            Refused(report.Error);
            if (report.Error.Code != ErrorCode.MsgSizeTooLarge) _untold = report.Error.Reason;
            return;
        }

        metrics.Acknowledged();
        if (_failure != null) _failure = null;
    }

    private void Refused(Error error)
    {
        metrics.Dropped(DropReason.Undelivered);
        _failure = error.Reason;
        LogUndelivered(error.Reason);
    }

    private sealed class Queue
    {
        private long _count;

        public long Count => Interlocked.Read(ref _count);

        public void Add() => Interlocked.Increment(ref _count);

        public void Remove() => Interlocked.Decrement(ref _count);
    }

    [LoggerMessage(33, LogLevel.Warning, "{Queued} envelopes wait for Kafka: order books and tickers are left out until it has caught up, then asked for anew.")]
    private partial void LogSpilling(long queued);

    [LoggerMessage(30, LogLevel.Error, "Kafka refused an envelope, which is lost: {Reason}")]
    private partial void LogUndelivered(string reason);

    [LoggerMessage(31, LogLevel.Critical, "The producer is of no more use; going on with a new one: {Reason}")]
    private partial void LogRenewed(string reason);

    [LoggerMessage(32, LogLevel.Error, "{Envelopes} envelopes were not delivered to Kafka within {Seconds:F0} s of stopping and are lost.")]
    private partial void LogNotFlushed(int envelopes, double seconds);
}

/// <summary>Kafka did not take an envelope.</summary>
public sealed class EnvelopeLostException(string reason) : Exception($"Kafka refused an envelope: {reason}.");
