using MarketData.Domain.Frames;
using MarketData.Ingest.Pipeline;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Upstream;

/// <summary>
/// Keeps one connection to the exchange: subscribes its share of the markets, and hands every frame to the pipeline in the order of
/// arrival. What was lost on a running connection is asked for anew; everything else that goes wrong ends in a new connection, whose
/// snapshots make its books right again. The first connection, number 0, also has the channels that cover every market.
/// </summary>
public sealed partial class ExchangeFeed(
    int number,
    IServiceScopeFactory scopes,
    MarketDirectory directory,
    FramePipeline pipeline,
    TradeFiller trades,
    RequestSigner signer,
    UpstreamStatus status,
    IngestMetrics metrics,
    IOptions<UpstreamOptions> options,
    IConfiguration configuration,
    TimeProvider time,
    ILogger<ExchangeFeed> logger)
{
    // A refused subscription or a failed listing is tried again after this time, or after the refresh time if that is shorter.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30), MarketsSettle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SpillCheckInterval = TimeSpan.FromSeconds(0.25);
    private readonly ReconnectBackoff _backoff = new(time);
    private bool _wasConnected;

    private bool IsFirst => number == 0;

    /// <summary>Runs until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        status.Down(number, "connecting");
        while (!cancellationToken.IsCancellationRequested)
        {
            TimeSpan wait;
            try
            {
                string reason = await RunConnectionAsync(cancellationToken);
                wait = _backoff.Next(closedInOrder: true);
                status.Down(number, $"the exchange closed the connection ({reason})");
                LogClosed(reason, wait.TotalSeconds);
            }
            catch (Exception exception)
            {
                if (cancellationToken.IsCancellationRequested) break;
                wait = exception is CredentialsRefusedException ? _backoff.NextAfterRefusal() : _backoff.Next(closedInOrder: false);
                status.Down(number, exception.Message);
                if (exception is CredentialsRefusedException) LogRefused(exception.Message, wait.TotalSeconds);
                else LogDown(exception.Message, wait.TotalSeconds, IsExpected(exception) ? null : exception);
            }

            if (IsFirst) trades.NoteLoss();
            await EndFeedAsync(cancellationToken);
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task EndFeedAsync(CancellationToken stoppingToken)
    {
        try
        {
            await pipeline.MarkStaleAsync(number, stoppingToken);
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
        var (_, address) = options.Value.Addresses(configuration);
        var tickers = await directory.ListAsync(number, MaxAge, stoppingToken);
        using var connection = await ExchangeConnection.ConnectAsync(address, options.Value, signer, time, stoppingToken);
        if (_wasConnected) metrics.Reconnected();
        _wasConnected = true;
        _backoff.Connected();
        LogConnected(address, tickers.Count);

        using var session = new SubscriptionSession(connection, hasAllMarketChannels: IsFirst, directory, trades, options.Value, metrics, time, logger);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        List<Task> parts =
        [
            KeepSubscribedAsync(session, tickers, ending.Token, stoppingToken),
            ReceiveAsync(connection, session, ending.Token, stoppingToken),
            RecoverSpilledAsync(session, ending.Token, stoppingToken),
        ];
        if (IsFirst && options.Value.FillTrades) parts.Add(FillTradesAsync(ending.Token, stoppingToken));
        var first = await Task.WhenAny(parts);
        await ending.CancelAsync();
        await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
        return await connection.CloseAsync(stoppingToken);
    }

    private async Task FillTradesAsync(CancellationToken cancellationToken, CancellationToken stoppingToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        await trades.RunAsync(scope.ServiceProvider.GetRequiredService<TradeHistory>(), cancellationToken, stoppingToken);
    }

    private async Task RecoverSpilledAsync(SubscriptionSession session, CancellationToken cancellationToken, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(SpillCheckInterval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            foreach (string ticker in await pipeline.RecoverSpilledAsync(number, stoppingToken)) session.BookIsBroken(ticker);
        }
    }

    private async Task ReceiveAsync(
        ExchangeConnection connection, SubscriptionSession session, CancellationToken cancellationToken, CancellationToken stoppingToken)
    {
        while (await connection.ReceiveAsync(cancellationToken) is { } arrived)
        {
            var received = arrived with { Connection = number };
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
        if (observation is Observation.BooksLost or Observation.BooksRepeated) await pipeline.MarkStaleAsync(number, stoppingToken);
        if (observation is Observation.BooksLost or Observation.Gap) return true;
        metrics.Dropped(DropReason.Repeated);
        return false;
    }

    private async Task KeepSubscribedAsync(
        SubscriptionSession session, IReadOnlyCollection<string> tickers, CancellationToken cancellationToken, CancellationToken stoppingToken)
    {
        var refresh = RefreshTime;
        while (true)
        {
            await session.SubscribeAsync(tickers, cancellationToken);
            await pipeline.MarkUnexpectedStaleAsync(ticker => session.HasBook(ticker) || directory.IsListedElsewhere(ticker, number), stoppingToken);
            status.Subscribed(number, session.BookCount, session.Problem);
            long since = time.GetTimestamp();
            var until = session.Problem != null && RetryAfter < refresh ? RetryAfter : refresh;
            while (time.GetElapsedTime(since) < until && await session.WaitForDemandAsync(until - time.GetElapsedTime(since), cancellationToken))
            {
                // Markets open in groups: the listing is asked once for all of them.
                if (await session.ResyncAsync(cancellationToken)) until = Shorter(until, time.GetElapsedTime(since) + MarketsSettle);
                if (session.Problem != null) until = Shorter(until, time.GetElapsedTime(since) + RetryAfter);
                status.Subscribed(number, session.BookCount, session.Problem);
            }

            tickers = await RefreshAsync(tickers, cancellationToken);
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private TimeSpan RefreshTime => TimeSpan.FromSeconds(options.Value.RefreshSeconds);

    // The first connection lists; the others list only when it does not.
    private TimeSpan MaxAge => IsFirst ? TimeSpan.Zero : RefreshTime * 2;

    private async Task<IReadOnlyCollection<string>> RefreshAsync(IReadOnlyCollection<string> known, CancellationToken cancellationToken)
    {
        try
        {
            return await directory.ListAsync(number, MaxAge, cancellationToken);
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

    [LoggerMessage(17, LogLevel.Warning, "Some books could not be marked stale in the log: {Reason}")]
    private partial void LogNotMarked(string reason);

    [LoggerMessage(18, LogLevel.Critical, "{Reason} Trying again in {Seconds:F0} s.")]
    private partial void LogRefused(string reason, double seconds);

    [LoggerMessage(13, LogLevel.Warning, "Skipped a malformed frame of {Length} bytes: {Reason}")]
    private partial void LogMalformed(int length, string? reason);

    [LoggerMessage(16, LogLevel.Warning, "The markets could not be listed again, the subscriptions stay as they are: {Reason}")]
    private partial void LogNotRefreshed(string reason);
}
