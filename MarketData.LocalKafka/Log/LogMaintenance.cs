namespace MarketData.LocalKafka.Log;

/// <summary>Applies retention and takes checkpoints, each at its interval, and one last checkpoint at a graceful stop.</summary>
internal sealed partial class LogMaintenance(TopicRegistry topics, BrokerOptions options, TimeProvider time, ILogger<LogMaintenance> logger) : BackgroundService
{
    /// <summary>Saves everything, so that the next start has nothing to scan. Called when no client is connected any more.</summary>
    public void CheckpointAll() => ForEachPartition("checkpoint", partition => partition.Checkpoint());

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        RepeatAsync(options.RetentionCheckInterval, () => ForEachPartition("retention", partition => partition.ApplyRetention()), stoppingToken),
        RepeatAsync(options.CheckpointInterval, CheckpointAll, stoppingToken));

    private async Task RepeatAsync(TimeSpan interval, Action work, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping)) work();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The ordinary end.
        }
    }

    private void ForEachPartition(string duty, Action<PartitionLog> work)
    {
        foreach (var partition in topics.All.SelectMany(topic => topic.Partitions))
            try
            {
                work(partition);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                LogFailed(logger, e, duty, partition.Name);
            }
    }

    [LoggerMessage(131, LogLevel.Error, "The {Duty} of partition {Partition} failed; it is tried again at the next interval")]
    private static partial void LogFailed(ILogger logger, Exception e, string duty, string partition);
}
