using Confluent.Kafka;
using MarketData.Ingest.Bootstrap;
using MarketData.Ingest.Leadership;
using MarketData.Ingest.Pipeline;

namespace MarketData.Ingest.Upstream;

/// <summary>
/// While this process leads, keeps as many connections to the exchange as its markets need; until then it stands by with the log read back.
/// </summary>
public sealed partial class UpstreamService(
    IServiceProvider services,
    Lease lease,
    LogBootstrap bootstrap,
    TrackedMarkets markets,
    FramePipeline pipeline,
    TradeFiller trades,
    MarketDirectory directory,
    KafkaTopic topic,
    KafkaSink sink,
    UpstreamStatus status,
    TimeProvider time,
    ILogger<UpstreamService> logger) : BackgroundService
{
    private static readonly TimeSpan FirstFenceWait = TimeSpan.FromSeconds(0.25), LongestFenceWait = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        status.Waiting("waiting for Kafka");
        await topic.EnsureAsync(stoppingToken);
        while (!stoppingToken.IsCancellationRequested)
        {
            status.StandBy();
            var term = await StandByAsync(stoppingToken);
            using var leading = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            var lead = LeadAsync(term, leading.Token);
            try
            {
                await Task.WhenAny(lead, term.Ended);
                await leading.CancelAsync();
                await lead;
            }
            catch (OperationCanceledException) when (leading.IsCancellationRequested)
            {
                // Ended before the feed began.
            }
            finally
            {
                EndTerm(term);
            }
        }
    }

    private async Task<Term> StandByAsync(CancellationToken stoppingToken)
    {
        using var elected = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var winning = lease.WaitAsync(stoppingToken);
        var following = bootstrap.FollowAsync(elected.Token);
        // Without bootstrap there is nothing to follow; a follower that fails ends the wait with its reason.
        if (await Task.WhenAny(winning, following) == following) await following;
        var term = await winning;
        await elected.CancelAsync();
        await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return term;
    }

    // Runs until the token is cancelled.
    private async Task LeadAsync(Term term, CancellationToken cancellationToken)
    {
        status.Waiting("waiting until the log is read back");
        await FenceAsync(term, cancellationToken);
        await bootstrap.RestoreAsync(markets, cancellationToken);
        trades.NoteLoss();
        directory.Clear();
        var feeds = new List<Task>();
        do
        {
            feeds.Add(ActivatorUtilities.CreateInstance<ExchangeFeed>(services, feeds.Count).RunAsync(cancellationToken));
            await Task.WhenAny([.. feeds, directory.MoreThanAsync(feeds.Count, cancellationToken)]);
        }
        while (feeds.TrueForAll(feed => !feed.IsCompleted) && !cancellationToken.IsCancellationRequested);

        await Task.WhenAll(feeds);
    }

    private async Task FenceAsync(Term term, CancellationToken cancellationToken)
    {
        var wait = FirstFenceWait;
        while (true)
        {
            try
            {
                await pipeline.BeginAsync(term.Number, cancellationToken);
                return;
            }
            catch (KafkaException exception)
            {
                status.Waiting($"Kafka does not take the mark of a new term: {exception.Error.Reason}");
                LogNotFenced(exception.Error.Reason, wait.TotalSeconds);
            }

            await Task.Delay(wait * (0.5 + Random.Shared.NextDouble() / 2), time, cancellationToken);
            wait = wait * 2 < LongestFenceWait ? wait * 2 : LongestFenceWait;
        }
    }

    private void EndTerm(Term term)
    {
        if (term.Ended.IsCompleted)
        {
            sink.Abandon();
            markets.Clear();
            bootstrap.Forget();
        }
        else
        {
            sink.Flush();
        }

        term.Release();
    }

    [LoggerMessage(19, LogLevel.Warning, "Kafka does not take the mark of a new term: {Reason} Trying again in {Seconds:F1} s.")]
    private partial void LogNotFenced(string reason, double seconds);
}
