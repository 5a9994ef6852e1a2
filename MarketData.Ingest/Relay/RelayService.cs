using Confluent.Kafka;
using MarketData.Domain.Channels;
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
    RelayMarkets markets,
    RelayOffsets offsets,
    RelayRecovery recovery,
    RelayFences fences,
    RelayPublisher publisher,
    RedisConnector redisConnector,
    KafkaTopic topic,
    RelayStatus status,
    IngestMetrics metrics,
    StageLatencies latencies,
    IOptions<KafkaOptions> kafka,
    IOptions<RelayOptions> options,
    TimeProvider time,
    ILogger<RelayService> logger) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50), FirstWait = TimeSpan.FromMilliseconds(100), MaxWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RenewalInterval = TimeSpan.FromMinutes(1);
    private const int MaxBatchBytes = 1 << 20;

    private readonly RelayBatch _batch = new();
    private readonly HashSet<int> _withoutBase = [];
    private TimeSpan _wait;
    private long _renewedAt = time.GetTimestamp();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await topic.EnsureAsync(stoppingToken);
        await Task.Factory.StartNew(() => Run(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Run(CancellationToken stoppingToken)
    {
        consumer.Subscribe(kafka.Value.Topic);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (_wait > TimeSpan.Zero) WaitPaused(_wait * (0.5 + Random.Shared.NextDouble() / 2), stoppingToken);
                RunConnected(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                _wait = _wait == TimeSpan.Zero ? FirstWait : _wait * 2 < MaxWait ? _wait * 2 : MaxWait;
                status.Down(exception.Message);
                LogDown(exception.Message, _wait.TotalSeconds, exception is IOException or TimeoutException ? null : exception);
            }
            catch (Exception exception)
            {
                LogCutShort(exception.Message);
            }
        }

        consumer.Close();
    }

    private void RunConnected(CancellationToken stoppingToken)
    {
        using var redis = new RelayConnection(redisConnector.ConnectAsync("market-data-relay", stoppingToken).GetAwaiter().GetResult(), time);
        LogConnected();
        markets.MarkAllDirty();
        offsets.Restart();
        recovery.Restart();
        while (!stoppingToken.IsCancellationRequested)
        {
            // Not empty here after a failure: the batch that Redis did not acknowledge.
            if (_batch.IsEmpty) Collect(stoppingToken);
            recovery.Check(redis, assignment.Assigned, _batch);
            Publish(redis);
            _wait = TimeSpan.Zero;
            status.Running();
            if (offsets.TakeCommittable(markets) is { Count: > 0 } committable) Commit(redis, committable);
        }

        metrics.SnapshotKeysWritten(publisher.WriteKeys(redis, all: true));
        redis.Finish();
        if (offsets.Published() is { Count: > 0 } published) Commit(redis, published);
    }

    private void Collect(CancellationToken stoppingToken)
    {
        int bytes = 0;
        var wait = Poll;
        while (_batch.Messages.Count < options.Value.BatchMessages && bytes < MaxBatchBytes && !stoppingToken.IsCancellationRequested)
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
        int partition = result.Partition;
        bool publish = !offsets.IsReadAgain(partition, result.Offset);
        if (Envelope.TryParse(result.Message.Value, out var envelope, out var error))
        {
            bool isFence = envelope.Channel == MarketChannel.Other && envelope.ChannelName.Of(result.Message.Value).SequenceEqual(KafkaNames.FenceChannel);
            _batch.Add(result.Offset, new RelayedMessage(partition, result.Message.Value, envelope, publish && !isFence));
            return;
        }

        _batch.Skip(partition, result.Offset);
        if (!publish) return;
        metrics.Dropped(DropReason.Unreadable);
        LogUnreadable(partition, result.Offset, error);
    }

    private void Publish(RelayConnection redis)
    {
        int published = 0;
        foreach (var message in _batch.Messages)
        {
            if (!fences.Passes(message.Partition, message.Envelope.Term))
            {
                metrics.Dropped(DropReason.Fenced);
                continue;
            }

            if (message.Publish) published++;
            if (!publisher.Write(redis, message)) _withoutBase.Add(message.Partition);
        }

        RenewKeys();
        int keys = publisher.WriteKeys(redis);
        redis.Finish();
        RecordLatencies();
        foreach (var (partition, offset) in _batch.Ends) offsets.Done(partition, offset);
        _batch.Clear();
        metrics.Relayed(published);
        metrics.SnapshotKeysWritten(keys);
        foreach (int partition in _withoutBase) recovery.ReadFromStart(partition);
        _withoutBase.Clear();
    }

    // On the wall clock: the frame may have been received by another process.
    private void RecordLatencies()
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var message in _batch.Messages)
        {
            if (message.Publish) latencies.Record(Stage.Relayed, TimeSpan.FromMilliseconds(now - message.Envelope.ReceivedTimestamp));
        }
    }

    private void RenewKeys()
    {
        if (time.GetElapsedTime(_renewedAt) < RenewalInterval) return;
        _renewedAt = time.GetTimestamp();
        markets.MarkUnwrittenFor(TimeSpan.FromHours(options.Value.KeyExpiryHours) / 4);
    }

    private void Commit(RelayConnection redis, IReadOnlyList<PartitionOffset> committable)
    {
        recovery.Mark(redis, committable);
        redis.Finish();
        try
        {
            consumer.Commit(committable.Select(offset => new TopicPartitionOffset(kafka.Value.Topic, offset.Partition, offset.Offset)));
            offsets.Commit(committable);
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
            _batch.Remove(partition);
            markets.Forget(partition);
            offsets.Forget(partition);
            recovery.Forget(partition);
            fences.Forget(partition);
        }
    }

    [LoggerMessage(40, LogLevel.Information, "Relaying to Redis.")]
    private partial void LogConnected();

    [LoggerMessage(41, LogLevel.Warning, "The relay is stopped: {Reason} Going on in {Seconds:F1} s.")]
    private partial void LogDown(string reason, double seconds, Exception? exception);

    [LoggerMessage(42, LogLevel.Warning, "Skipped record {Offset} of partition {Partition}, which is no envelope: {Reason}")]
    private partial void LogUnreadable(int partition, long offset, string? reason);

    [LoggerMessage(44, LogLevel.Warning, "Offsets were not committed: {Reason}")]
    private partial void LogNotCommitted(string reason);

    [LoggerMessage(46, LogLevel.Warning, "The relay stopped before its last messages were committed; they are published again at the next start: {Reason}")]
    private partial void LogCutShort(string reason);
}
