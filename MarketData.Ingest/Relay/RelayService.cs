using Confluent.Kafka;
using MarketData.Domain.Envelopes;
using MarketData.Ingest.Pipeline;
using MarketData.ServiceDefaults.Redis;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Relay;

/// <summary>
/// Consumes the log as one member of the relay's group and publishes it to Redis in order. At least once: a batch that Redis did not
/// acknowledge is published again, which its <c>streamSequence</c> makes harmless. One thread owns everything.
/// </summary>
public sealed partial class RelayService(
    IConsumer<Ignore, byte[]> consumer,
    RelayAssignment assignment,
    KafkaTopic topic,
    RedisConnector redis,
    RelayStatus status,
    IngestMetrics metrics,
    IOptions<KafkaOptions> kafka,
    IOptions<RelayOptions> options,
    TimeProvider time,
    ILogger<RelayService> logger) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50), FirstWait = TimeSpan.FromMilliseconds(100), MaxWait = TimeSpan.FromSeconds(5);
    private const int MaxBatchBytes = 1 << 20;

    private readonly RelayMarkets _markets = new();
    private readonly List<RelayedMessage> _batch = [];
    private readonly RelayOffsets _offsets = new(options.Value, time);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await topic.EnsureAsync(stoppingToken);
        await Task.Factory.StartNew(() => Run(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Run(CancellationToken stoppingToken)
    {
        consumer.Subscribe(kafka.Value.Topic);
        var wait = TimeSpan.Zero;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (wait > TimeSpan.Zero) WaitPaused(wait * (0.5 + Random.Shared.NextDouble() / 2), stoppingToken);
                RunConnected(() => wait = TimeSpan.Zero, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                wait = wait == TimeSpan.Zero ? FirstWait : wait * 2 < MaxWait ? wait * 2 : MaxWait;
                status.Down(exception.Message);
                LogDown(exception.Message, wait.TotalSeconds, exception is IOException or TimeoutException ? null : exception);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        consumer.Close();
    }

    private void RunConnected(Action connected, CancellationToken stoppingToken)
    {
        var publisher = new RelayPublisher(_markets, options, time);
        var connection = redis.ConnectAsync("market-data-relay", stoppingToken).GetAwaiter().GetResult();
        try
        {
            LogConnected();
            _markets.MarkAllDirty();
            while (!stoppingToken.IsCancellationRequested)
            {
                // Not empty here after a failure: the batch that Redis did not acknowledge.
                if (_batch.Count == 0) Collect(stoppingToken);
                Publish(publisher, connection, stoppingToken);
                connected();
                status.Running();
                _batch.Clear();
                if (_offsets.TakeCommittable() is { Count: > 0 } offsets) Commit(offsets);
            }
        }
        finally
        {
            connection.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private void Collect(CancellationToken stoppingToken)
    {
        int bytes = 0;
        var wait = Poll;
        while (_batch.Count < options.Value.BatchMessages && bytes < MaxBatchBytes && !stoppingToken.IsCancellationRequested)
        {
            var result = consumer.Consume(wait);
            ForgetRevoked();
            if (result == null) return;
            wait = TimeSpan.Zero;
            bytes += result.Message.Value?.Length ?? 0;
            Add(result);
        }
    }

    private void Add(ConsumeResult<Ignore, byte[]> result)
    {
        if (Envelope.TryParse(result.Message.Value, out var envelope, out var error))
        {
            _batch.Add(new RelayedMessage(
                result.Partition, result.Offset, result.Message.Value, envelope, !_offsets.IsReadAgain(result.Partition, result.Offset)));
            return;
        }

        metrics.Dropped("unreadable");
        LogUnreadable(result.Partition, result.Offset, error);
        _offsets.Done(result.Partition, result.Offset);
    }

    private void Publish(RelayPublisher publisher, RespConnection connection, CancellationToken stoppingToken)
    {
        int commands = 0, published = 0;
        foreach (var message in _batch)
        {
            if (message.Publish) published++;
            if (!publisher.Write(connection, message, ref commands, stoppingToken)) ReadAgain(message.Partition);
        }

        _markets.MarkUnwrittenSince(time.GetTimestamp() - (long)TimeSpan.FromHours(options.Value.KeyExpiryHours).TotalSeconds / 4 * time.TimestampFrequency);
        int keys = publisher.WriteKeys(connection, ref commands);
        publisher.FinishCommands(connection, ref commands, stoppingToken);
        foreach (var message in _batch) _offsets.Done(message.Partition, message.Offset);
        metrics.Relayed(published);
        metrics.SnapshotKeysWritten(keys);
    }

    private void ReadAgain(int partition)
    {
        long until = _batch.FindLast(message => message.Partition == partition).Offset + 1;
        if (!_offsets.TryReadAgain(partition, until)) return;
        LogReadAgain(partition);
        consumer.Seek(new TopicPartitionOffset(kafka.Value.Topic, partition, Offset.Beginning));
    }

    private void Commit(IReadOnlyList<(int Partition, long Next)> offsets)
    {
        try
        {
            consumer.Commit(offsets.Select(offset => new TopicPartitionOffset(kafka.Value.Topic, offset.Partition, offset.Next)));
        }
        catch (KafkaException exception)
        {
            // The next commit covers this one.
            LogNotCommitted(exception.Error.Reason);
        }
    }

    // Stays in the group while Redis is away: polls on, with its partitions paused.
    private void WaitPaused(TimeSpan wait, CancellationToken stoppingToken)
    {
        long start = time.GetTimestamp();
        while (time.GetElapsedTime(start) < wait && !stoppingToken.IsCancellationRequested)
        {
            consumer.Pause(consumer.Assignment);
            var result = consumer.Consume(Poll);
            ForgetRevoked();
            // A partition that was assigned just now was not paused yet.
            if (result != null) Add(result);
        }

        consumer.Resume(consumer.Assignment);
    }

    private void ForgetRevoked()
    {
        foreach (int partition in assignment.TakeRevoked())
        {
            _batch.RemoveAll(message => message.Partition == partition);
            _markets.Forget(partition);
            _offsets.Forget(partition);
        }
    }

    [LoggerMessage(40, LogLevel.Information, "Relaying to Redis.")]
    private partial void LogConnected();

    [LoggerMessage(41, LogLevel.Warning, "The relay is stopped: {Reason} Going on in {Seconds:F1} s.")]
    private partial void LogDown(string reason, double seconds, Exception? exception);

    [LoggerMessage(42, LogLevel.Warning, "Skipped record {Offset} of partition {Partition}, which is no envelope: {Reason}")]
    private partial void LogUnreadable(int partition, long offset, string? reason);

    [LoggerMessage(43, LogLevel.Warning, "A book of partition {Partition} has no base in Redis; reading the partition again from its start.")]
    private partial void LogReadAgain(int partition);

    [LoggerMessage(44, LogLevel.Warning, "Offsets were not committed: {Reason}")]
    private partial void LogNotCommitted(string reason);
}
