using Confluent.Kafka;
using MarketData.Domain.Frames;
using MarketData.Ingest.Bootstrap;
using MarketData.Ingest.Leadership;
using MarketData.Ingest.Pipeline;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Upstream;

/// <summary>
/// While this process leads, keeps one connection to the exchange: discovers, subscribes, and hands every frame to the pipeline in the order of arrival.
/// What was lost on a running connection is asked for anew; everything else that goes wrong ends in a new connection, whose snapshots make
/// every book right again.
/// </summary>
public sealed partial class UpstreamService(
    IServiceProvider services,
    Lease lease,
    LogBootstrap bootstrap,
    TrackedMarkets markets,
    FramePipeline pipeline,
    TradeFiller trades,
    KafkaTopic topic,
    KafkaSink sink,
    RequestSigner signer,
    UpstreamStatus status,
    IngestMetrics metrics,
    IOptions<UpstreamOptions> options,
    IConfiguration configuration,
    TimeProvider time,
    ILogger<UpstreamService> logger) : BackgroundService
{
    // A refused subscription or a failed listing is tried again after this time, or after the refresh time if that is shorter.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30), MarketsSettle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstFenceWait = TimeSpan.FromSeconds(0.25);
    private readonly ReconnectBackoff _backoff = new(time);
    private bool _wasConnected;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        status.Down("waiting for Kafka");
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
        status.Down("waiting until the log is read back");
        await FenceAsync(term, cancellationToken);
        await bootstrap.RestoreAsync(markets, cancellationToken);
        trades.NoteLoss();
        status.Down("connecting");
        while (!cancellationToken.IsCancellationRequested)
        {
            TimeSpan wait;
            try
            {
                string reason = await RunConnectionAsync(cancellationToken);
                wait = _backoff.Next(closedInOrder: true);
                status.Down($"the exchange closed the connection ({reason})");
                LogClosed(reason, wait.TotalSeconds);
            }
            catch (Exception exception)
            {
                if (cancellationToken.IsCancellationRequested) break;
                wait = exception is CredentialsRefusedException ? _backoff.NextAfterRefusal() : _backoff.Next(closedInOrder: false);
                status.Down(exception.Message);
                if (exception is CredentialsRefusedException) LogRefused(exception.Message, wait.TotalSeconds);
                else LogDown(exception.Message, wait.TotalSeconds, IsExpected(exception) ? null : exception);
            }

            trades.NoteLoss();
            await EndFeedAsync(cancellationToken);
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
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
                status.Down($"Kafka does not take the mark of a new term: {exception.Error.Reason}");
                LogNotFenced(exception.Error.Reason, wait.TotalSeconds);
            }

            await Task.Delay(wait * (0.5 + Random.Shared.NextDouble() / 2), time, cancellationToken);
            wait = wait * 2 < RetryAfter ? wait * 2 : RetryAfter;
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

    private async Task EndFeedAsync(CancellationToken stoppingToken)
    {
        try
        {
            await pipeline.MarkStaleAsync(stoppingToken);
        }
        catch (EnvelopeLostException exception)
        {
            // The next connection's snapshots are on their way anyhow.
            LogNotMarked(exception.Message);
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    // Returns the exchange's reason when it closes in order; throws on anything else.
    private async Task<string> RunConnectionAsync(CancellationToken stoppingToken)
    {
        using var scope = services.CreateScope();
        var discovery = scope.ServiceProvider.GetRequiredService<MarketDiscovery>();
        var (_, address) = options.Value.Addresses(configuration);
        var tickers = await discovery.ListMarketsAsync(stoppingToken);
        using var connection = await ExchangeConnection.ConnectAsync(address, options.Value, signer, time, stoppingToken);
        if (_wasConnected) metrics.Reconnected();
        _wasConnected = true;
        _backoff.Connected();
        LogConnected(address, tickers.Count);

        var session = new SubscriptionSession(connection, trades, options.Value, metrics, time, logger);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var subscribing = KeepSubscribedAsync(session, discovery, tickers, ending.Token, stoppingToken);
        var receiving = ReceiveAsync(connection, session, ending.Token, stoppingToken);
        var filling = options.Value.FillTrades
            ? trades.RunAsync(scope.ServiceProvider.GetRequiredService<TradeHistory>(), ending.Token)
            : Task.Delay(Timeout.InfiniteTimeSpan, time, ending.Token);
        var first = await Task.WhenAny(subscribing, receiving, filling);
        await ending.CancelAsync();
        await Task.WhenAll(subscribing, receiving, filling).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
        return await connection.CloseAsync(stoppingToken);
    }

    private async Task ReceiveAsync(
        ExchangeConnection connection, SubscriptionSession session, CancellationToken cancellationToken, CancellationToken stoppingToken)
    {
        while (await connection.ReceiveAsync(cancellationToken) is { } received)
        {
            if (!ExchangeFrame.TryParse(received.Bytes.Span, out var frame, out var error))
            {
                metrics.Dropped(DropReason.Malformed);
                LogMalformed(received.Bytes.Length, error);
                continue;
            }

            metrics.Received(frame.Type);
            if (!await ObserveAsync(session, received, frame, stoppingToken)) continue;
            // The end of the connection must not cost a frame that has arrived, so only the end of the service cancels this.
            if (await pipeline.ProcessAsync(received, frame, stoppingToken) is { } broken) session.BookIsBroken(broken);
        }
    }

    // False when the frame must not be taken.
    private ValueTask<bool> ObserveAsync(
        SubscriptionSession session, in ReceivedFrame received, in ExchangeFrame frame, CancellationToken stoppingToken)
    {
        var observation = session.Observe(received.Bytes.Span, frame);
        return observation == Observation.Taken ? ValueTask.FromResult(true) : LostAsync(observation, stoppingToken);
    }

    private async ValueTask<bool> LostAsync(Observation observation, CancellationToken stoppingToken)
    {
        metrics.Gap();
        if (observation is Observation.BooksLost or Observation.BooksRepeated) await pipeline.MarkStaleAsync(stoppingToken);
        if (observation is Observation.BooksLost or Observation.Gap) return true;
        metrics.Dropped(DropReason.Repeated);
        return false;
    }

    private async Task KeepSubscribedAsync(
        SubscriptionSession session, MarketDiscovery discovery, IReadOnlyCollection<string> tickers, CancellationToken cancellationToken, CancellationToken stoppingToken)
    {
        var refresh = TimeSpan.FromSeconds(options.Value.RefreshSeconds);
        while (true)
        {
            await session.SubscribeAsync(tickers, cancellationToken);
            // Begun, it must not be left half done: only the end of the service cancels this.
            await pipeline.MarkUnsubscribedStaleAsync(session.HasBook, stoppingToken);
            status.Subscribed(session.BookCount, session.Problem);
            long since = time.GetTimestamp();
            var until = session.Problem != null && RetryAfter < refresh ? RetryAfter : refresh;
            while (time.GetElapsedTime(since) < until && await session.WaitForDemandAsync(until - time.GetElapsedTime(since), cancellationToken))
            {
                // Markets open in groups: the listing is asked once for all of them.
                if (await session.ResyncAsync(cancellationToken)) until = Shorter(until, time.GetElapsedTime(since) + MarketsSettle);
                if (session.Problem != null) until = Shorter(until, time.GetElapsedTime(since) + RetryAfter);
                status.Subscribed(session.BookCount, session.Problem);
            }

            tickers = await RefreshAsync(discovery, tickers, cancellationToken);
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private async Task<IReadOnlyCollection<string>> RefreshAsync(
        MarketDiscovery discovery, IReadOnlyCollection<string> known, CancellationToken cancellationToken)
    {
        try
        {
            return await discovery.ListMarketsAsync(cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The connection is sound: what it brings is worth more than a fresh list.
            LogNotRefreshed(exception.Message);
            return known;
        }
    }

    private static bool IsExpected(Exception exception) =>
        exception is SubscriptionLostException or EnvelopeLostException or IOException or TimeoutException or HttpRequestException;

    [LoggerMessage(10, LogLevel.Information, "Connected to {Address}; subscribing {Markets} markets.")]
    private partial void LogConnected(Uri address, int markets);

    [LoggerMessage(11, LogLevel.Information, "The exchange closed the connection ({Reason}); connecting again in {Seconds:F1} s.")]
    private partial void LogClosed(string reason, double seconds);

    [LoggerMessage(12, LogLevel.Warning, "The exchange's feed is down: {Reason} Connecting again in {Seconds:F1} s.")]
    private partial void LogDown(string reason, double seconds, Exception? exception);

    [LoggerMessage(19, LogLevel.Warning, "Kafka does not take the mark of a new term: {Reason} Trying again in {Seconds:F1} s.")]
    private partial void LogNotFenced(string reason, double seconds);

    [LoggerMessage(17, LogLevel.Warning, "Some books could not be marked stale in the log: {Reason}")]
    private partial void LogNotMarked(string reason);

    [LoggerMessage(18, LogLevel.Critical, "{Reason} Trying again in {Seconds:F0} s.")]
    private partial void LogRefused(string reason, double seconds);

    [LoggerMessage(13, LogLevel.Warning, "Skipped a malformed frame of {Length} bytes: {Reason}")]
    private partial void LogMalformed(int length, string? reason);

    [LoggerMessage(16, LogLevel.Warning, "The markets could not be listed again, the subscriptions stay as they are: {Reason}")]
    private partial void LogNotRefreshed(string reason);
}
