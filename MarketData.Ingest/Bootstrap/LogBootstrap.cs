using Confluent.Kafka;
using MarketData.Ingest.Pipeline;
using MarketData.ServiceDefaults.Kafka;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Bootstrap;

/// <summary>
/// Reads the end of the log back before the exchange is asked for anything, so that a restart republishes no unchanged book and every
/// stream's numbers go on; while another process leads, reads on as the log grows. The partitions are read side by side up to where the log
/// ended at the start; a Kafka that is away is waited for.
/// </summary>
public sealed partial class LogBootstrap(
    IServiceProvider services,
    IOptions<BootstrapOptions> options,
    IOptions<KafkaOptions> kafka,
    BootstrapStatus status,
    TimeProvider time,
    ILogger<LogBootstrap> logger)
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5), MaxWait = TimeSpan.FromSeconds(10), Poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5), ReportInterval = TimeSpan.FromSeconds(5), FollowInterval = TimeSpan.FromSeconds(2);

    /// <summary>Records between two notes of the progress.</summary>
    private const int ProgressRecords = 4096;

    // For each partition, what was read of it and how far.
    private readonly Dictionary<int, RestoredMarkets> _read = [];
    private readonly Dictionary<int, long> _next = [];

    /// <summary>Reads the rest of the log and hands everything over.</summary>
    /// <exception cref="KafkaException">Kafka will not have it, and would not next time either.</exception>
    public async Task RestoreAsync(TrackedMarkets markets, CancellationToken cancellationToken)
    {
        if (!options.Value.Enabled)
        {
            status.Off();
            return;
        }

        long started = time.GetTimestamp();
        await ReadOnAsync(cancellationToken);
        long unreadable = 0;
        foreach (var restored in _read.Values)
        {
            restored.MoveTo(markets);
            unreadable += restored.Unreadable;
        }

        markets.EndRestore();
        Forget();
        status.Done(markets.RestoredCount, unreadable);
        LogDone(status.Records, markets.RestoredCount, markets.Count, unreadable, time.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Reads on again and again while another process leads, so that taking over costs only the rest.</summary>
    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        while (options.Value.Enabled)
        {
            await ReadOnAsync(cancellationToken);
            status.Following();
            await Task.Delay(FollowInterval, time, cancellationToken);
        }
    }

    /// <summary>What was read is not needed, or not true any more.</summary>
    public void Forget()
    {
        _read.Clear();
        _next.Clear();
    }

    private async Task ReadOnAsync(CancellationToken cancellationToken)
    {
        var sections = await FindSectionsAsync(cancellationToken);
        long total = sections.Sum(section => section.Length);
        status.Begin(total);
        if (_next.Count == 0) LogBegin(total, sections.Count, options.Value.LookbackMinutes);
        foreach (var section in sections) _read.TryAdd(section.Partition, new RestoredMarkets());

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = ReadAsync(sections, ending);
        var reporting = ReportAsync(ending.Token);
        try
        {
            await reading;
            foreach (var section in sections) _next[section.Partition] = section.End;
        }
        finally
        {
            await ending.CancelAsync();
            await reporting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<List<LogSection>> FindSectionsAsync(CancellationToken cancellationToken)
    {
        var wait = TimeSpan.FromSeconds(0.25);
        while (true)
        {
            try
            {
                // librdkafka's calls block.
                var sections = await Task.Run(FindSections, cancellationToken);
                status.Waiting(null);
                return sections;
            }
            catch (KafkaException exception)
            {
                status.Waiting(exception.Error.Reason);
                LogWaiting(exception.Error.Reason, wait.TotalSeconds);
            }

            await Task.Delay(wait * (0.5 + Random.Shared.NextDouble() / 2), time, cancellationToken);
            wait = wait * 2 < MaxWait ? wait * 2 : MaxWait;
        }
    }

    private List<LogSection> FindSections()
    {
        using var consumer = BuildConsumer();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var topic = admin.GetMetadata(kafka.Value.Topic, RequestTimeout).Topics[0];
        if (topic.Error.IsError) throw new KafkaException(topic.Error);
        var since = new Timestamp(time.GetUtcNow().AddMinutes(-options.Value.LookbackMinutes).UtcDateTime);
        var starts = consumer.OffsetsForTimes(
            topic.Partitions.Select(partition => new TopicPartitionTimestamp(kafka.Value.Topic, partition.PartitionId, since)), RequestTimeout);
        var sections = new List<LogSection>();
        foreach (var start in starts)
        {
            var end = consumer.QueryWatermarkOffsets(start.TopicPartition, RequestTimeout).High;
            // A partition without a record that young answers with a negative offset: only what comes from now on is of interest.
            long from = _next.TryGetValue(start.Partition, out long next) ? next : start.Offset >= 0 ? start.Offset.Value : end;
            if (from < end) sections.Add(new LogSection(start.Partition, from, end));
            else _next.TryAdd(start.Partition, end);
        }

        return sections;
    }

    private Task ReadAsync(List<LogSection> sections, CancellationTokenSource ending)
    {
        var shares = sections.OrderByDescending(section => section.Length)
            .Select((section, rank) => (section, Share: rank % Environment.ProcessorCount))
            .GroupBy(ranked => ranked.Share, ranked => ranked.section)
            .Select(share => Task.Factory.StartNew(
                () => Read([.. share], ending.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))
            .ToList();
        // A share that fails ends the others: without it nothing may go on.
        foreach (var share in shares) _ = share.ContinueWith(_ => ending.CancelAsync(), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return Task.WhenAll(shares);
    }

    private void Read(IReadOnlyList<LogSection> sections, CancellationToken cancellationToken)
    {
        using var consumer = BuildConsumer();
        var ends = sections.ToDictionary(section => section.Partition, section => section.End);
        consumer.Assign(sections.Select(section => new TopicPartitionOffset(kafka.Value.Topic, section.Partition, section.Start)));
        int unreported = 0;
        long heard = time.GetTimestamp();
        while (ends.Count > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var result = Consume(consumer, cancellationToken);
            if (result == null)
            {
                if (time.GetElapsedTime(heard) > Silence) status.Waiting("it has sent nothing for some seconds");
                continue;
            }

            heard = time.GetTimestamp();
            int partition = result.Partition;
            if (!ends.TryGetValue(partition, out long end)) continue;
            if (!result.IsPartitionEOF && result.Offset < end)
            {
                _read[partition].Apply(result.Message.Value);
                unreported++;
            }

            bool isEnd = result.IsPartitionEOF || result.Offset + 1 >= end;
            if (isEnd)
            {
                ends.Remove(partition);
                // The result does not say its topic: that is among the fields left out.
                consumer.Pause([new TopicPartition(kafka.Value.Topic, partition)]);
            }

            if (!isEnd && unreported < ProgressRecords) continue;
            status.Read(unreported);
            status.Waiting(null);
            unreported = 0;
        }
    }

    private ConsumeResult<Ignore, byte[]>? Consume(IConsumer<Ignore, byte[]> consumer, CancellationToken cancellationToken)
    {
        try
        {
            return consumer.Consume(Poll);
        }
        catch (ConsumeException exception) when (!exception.Error.IsFatal)
        {
            status.Waiting(exception.Error.Reason);
            cancellationToken.WaitHandle.WaitOne(Poll);
            return null;
        }
    }

    private IConsumer<Ignore, byte[]> BuildConsumer()
    {
        var config = new ConsumerConfig();
        services.ConfigureKafkaClient("kafka", config);
        config.ClientId = "bootstrap";
        // Required by the library, used by nobody: partitions are assigned by hand and nothing is committed.
        config.GroupId = "market-data-bootstrap";
        config.EnableAutoCommit = false;
        config.EnableAutoOffsetStore = false;
        config.EnablePartitionEof = true;
        // Retention may delete a section's first records while it is read.
        config.AutoOffsetReset = AutoOffsetReset.Earliest;
        config.ConsumeResultFields = "none";
        config.QueuedMaxMessagesKbytes = 32 << 10;
        config.FetchQueueBackoffMs = 20;
        return new ConsumerBuilder<Ignore, byte[]>(config)
            .SetLogHandler((_, message) => LogClient(message.Message))
            .SetErrorHandler((_, error) => LogClient(error.Reason))
            .Build();
    }

    private async Task ReportAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(ReportInterval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken)) LogProgress(status.Records, status.Total);
    }

    [LoggerMessage(50, LogLevel.Information, "Bootstrapping: reading {Records} records of {Partitions} partitions back, the last {Minutes} minutes of the log.")]
    private partial void LogBegin(long records, int partitions, int minutes);

    [LoggerMessage(51, LogLevel.Information, "Bootstrapping: {Records} of {Total} records read.")]
    private partial void LogProgress(long records, long total);

    [LoggerMessage(52, LogLevel.Information, "Bootstrapped from {Records} records: {Books} books of {Markets} markets, {Unreadable} records unreadable, in {Seconds:F1} s.")]
    private partial void LogDone(long records, int books, int markets, long unreadable, double seconds);

    [LoggerMessage(53, LogLevel.Warning, "The log cannot be read back yet: {Reason}. Asking again in {Seconds:F1} s.")]
    private partial void LogWaiting(string reason, double seconds);

    [LoggerMessage(54, LogLevel.Debug, "Kafka client of the bootstrap: {Message}")]
    private partial void LogClient(string message);
}
