using Confluent.Kafka;
using Confluent.Kafka.Admin;
using MarketData.Ingest.Pipeline;
using MarketData.ServiceDefaults.Kafka;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Leadership;

/// <summary>
/// Takes part in the election over a Kafka topic of one partition: follows it, writes what the rules say, and tells when this process
/// leads and when it does so no longer. It needs no clock in common with others and nothing but Kafka, without which a leader could do
/// nothing anyway.
/// </summary>
/// <remarks>
/// That a leader which does not know yet that it was replaced (a process that was halted and goes on) does no harm is not this class's
/// doing: everything in the log carries its term, and readers pass over a term that has ended (<see cref="KafkaSink.FenceAsync"/>).
/// </remarks>
public sealed partial class Lease(
    IServiceProvider services,
    KafkaTopic topics,
    LeadershipStatus status,
    IOptions<LeadershipOptions> options,
    TimeProvider time,
    ILogger<Lease> logger) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50), ErrorPause = TimeSpan.FromSeconds(1), ResignTimeout = TimeSpan.FromSeconds(2), ReleaseTimeout = TimeSpan.FromSeconds(7);
    private readonly string _process = $"{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid():N}";

    // Guards the term, which one loop begins and ends and another waits for.
    private readonly Lock _gate = new();
    private TaskCompletionSource<Term> _won = Signal();
    private Term? _term;

    /// <summary>Waits until this process leads.</summary>
    public async Task<Term> WaitAsync(CancellationToken cancellationToken)
    {
        Task<Term> won;
        lock (_gate) won = _won.Task;
        return await won.WaitAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var topic = new TopicSpecification
        {
            Name = options.Value.Topic,
            NumPartitions = 1,
            ReplicationFactor = -1,
            // Only the latest signs of life matter: a start reads some thousands of records.
            Configs = new Dictionary<string, string> { ["retention.ms"] = "3600000", ["segment.bytes"] = "1048576" },
        };
        await topics.EnsureAsync(topic, stoppingToken);
        await Task.Factory.StartNew(() => Run(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Run(CancellationToken stoppingToken)
    {
        using var consumer = BuildConsumer();
        using var producer = BuildProducer();
        var election = new Election(
            _process, TimeSpan.FromMilliseconds(options.Value.LeaseMs), TimeSpan.FromMilliseconds(options.Value.HeartbeatMs), time);
        consumer.Assign(new TopicPartitionOffset(options.Value.Topic, 0, Offset.Beginning));
        bool isCurrent = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                // Nothing is decided before all that the topic has was read.
                isCurrent |= Follow(consumer, election);
                if (!isCurrent) continue;
                Conclude(election);
                if (election.Next() is { } record) Write(producer, record);
            }
            catch (KafkaException exception) when (!exception.Error.IsFatal)
            {
                status.Trouble(exception.Error.Reason);
                LogTrouble(exception.Error.Reason);
                stoppingToken.WaitHandle.WaitOne(ErrorPause);
            }
        }

        Resign(producer);
        consumer.Close();
    }

    // True at the end of the topic. Reads on while there is something, so that a decision is never made on half of it.
    private static bool Follow(IConsumer<Ignore, byte[]> consumer, Election election)
    {
        var wait = Poll;
        while (consumer.Consume(wait) is { } result)
        {
            if (result.IsPartitionEOF) return true;
            if (LeaseRecord.Read(result.Message.Value) is { } record) election.Read(record);
            wait = TimeSpan.Zero;
        }

        return false;
    }

    private void Conclude(Election election)
    {
        lock (_gate)
        {
            if (_term is { } running && (!election.IsLeading || running.Number != election.Term))
            {
                LogReplaced(election.Leader, election.Term);
                _term = null;
                _won = Signal();
                running.End();
            }

            if (!election.IsLeading)
            {
                if (election.Term > 0) status.StandBy(election.Term, election.Leader);
                return;
            }

            if (_term != null) return;
            _term = new Term(election.Term);
            status.Active(election.Term);
            LogLeading(election.Term);
            _won.SetResult(_term);
        }
    }

    private void Write(IProducer<Null, byte[]> producer, LeaseRecord record)
    {
        if (record.Kind == LeaseKind.Claim) LogClaims(record.Term);
        producer.Produce(options.Value.Topic, new Message<Null, byte[]> { Value = record.ToBytes() }, report =>
        {
            status.Trouble(report.Error.IsError ? report.Error.Reason : null);
        });
    }

    // After the feed has stopped and everything is flushed, so that the next leader's first look at the log sees all of it.
    private void Resign(IProducer<Null, byte[]> producer)
    {
        Term? term;
        lock (_gate) (term, _term) = (_term, null);
        if (term == null) return;
        term.Released.Wait(ReleaseTimeout);
        Write(producer, new LeaseRecord(LeaseKind.Resignation, term.Number, _process));
        producer.Flush(ResignTimeout);
    }

    private IConsumer<Ignore, byte[]> BuildConsumer()
    {
        var config = new ConsumerConfig();
        services.ConfigureKafkaClient("kafka", config);
        config.ClientId = "lease";
        // Required by the library, used by nobody: the partition is assigned by hand and nothing is committed.
        config.GroupId = "market-data-ingest-lease";
        config.EnableAutoCommit = false;
        config.EnableAutoOffsetStore = false;
        config.EnablePartitionEof = true;
        config.AutoOffsetReset = AutoOffsetReset.Earliest;
        config.FetchWaitMaxMs = 100;
        return new ConsumerBuilder<Ignore, byte[]>(config).SetLogHandler((_, message) => LogClient(message.Message)).SetErrorHandler((_, error) => LogClient(error.Reason)).Build();
    }

    private IProducer<Null, byte[]> BuildProducer()
    {
        var config = new ProducerConfig();
        services.ConfigureKafkaClient("kafka", config);
        config.ClientId = "lease";
        config.Acks = Acks.All;
        config.LingerMs = 0;
        // A sign that comes later than the lease says nothing any more.
        config.MessageTimeoutMs = options.Value.LeaseMs;
        return new ProducerBuilder<Null, byte[]>(config).SetLogHandler((_, message) => LogClient(message.Message)).SetErrorHandler((_, error) => LogClient(error.Reason)).Build();
    }

    private static TaskCompletionSource<Term> Signal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(70, LogLevel.Information, "This process leads from now on, term {Term}.")]
    private partial void LogLeading(long term);

    [LoggerMessage(71, LogLevel.Warning, "{Leader} leads with term {Term}: this process stands by.")]
    private partial void LogReplaced(string leader, long term);

    [LoggerMessage(72, LogLevel.Information, "Nobody leads: claiming term {Term}.")]
    private partial void LogClaims(long term);

    [LoggerMessage(73, LogLevel.Warning, "The election's topic cannot be read: {Reason}")]
    private partial void LogTrouble(string reason);

    [LoggerMessage(74, LogLevel.Debug, "Kafka client of the election: {Message}")]
    private partial void LogClient(string message);
}
