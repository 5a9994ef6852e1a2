namespace MarketData.LocalKafka.Groups;

/// <summary>Forgets the offsets of groups that have been without members for the retention time.</summary>
internal sealed class OffsetRetention(GroupOffsets offsets, BrokerOptions options, TimeProvider time) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.OffsetsRetentionCheckInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) offsets.Expire(options.OffsetsRetention);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The ordinary end.
        }
    }
}
