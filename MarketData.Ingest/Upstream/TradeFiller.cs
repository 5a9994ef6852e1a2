using MarketData.Domain.Frames;
using MarketData.Ingest.Pipeline;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.Ingest.Upstream;

/// <summary>
/// Gets the trades that were missed, between two connections or in a hole of the sequence numbers, from the exchange's REST API, and
/// its health check <c>trades</c>. Books need no past; trades are the one stream whose past the exchange still tells.
/// </summary>
/// <remarks>One loop fills; losses may be noted by another.</remarks>
public sealed partial class TradeFiller(
    TrackedMarkets markets, FramePipeline pipeline, TimeProvider time, ILogger<TradeFiller> logger) : IHealthCheck
{
    // An exchange with several machines may list a trade a little after a later one.
    private const long MarginMs = 2000;

    // An answer may come from a cache of 15 s, so the last word is an answer that was asked for later (protocol reference, section 3).
    private static readonly TimeSpan CacheAge = TimeSpan.FromSeconds(16), FirstWait = TimeSpan.FromSeconds(1), MaxWait = TimeSpan.FromSeconds(30);

    // Guards what follows.
    private readonly Lock _gate = new();
    private TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long? _missingSince, _followedSince;
    private int _losses;
    private volatile string? _problem;

    /// <summary>Trades may be missing from here on. Call it before a later trade is taken.</summary>
    public void NoteLoss()
    {
        lock (_gate)
        {
            _losses++;
            _missingSince ??= markets.Trades.LastTimestamp is > 0 and var last ? last - MarginMs : _followedSince;
            if (_missingSince != null) _lost.TrySetResult();
        }
    }

    /// <summary>Trades are followed from here on; those of the time before, unless this is the first, are missing.</summary>
    public void NoteSubscribed()
    {
        NoteLoss();
        lock (_gate) _followedSince ??= time.GetUtcNow().ToUnixTimeMilliseconds() - MarginMs;
    }

    /// <summary>Fills what is missing, for as long as a connection lasts.</summary>
    /// <param name="history">Where past trades are.</param>
    /// <param name="cancellationToken">The connection is over.</param>
    /// <param name="stoppingToken">The term is over: only this gives up a trade that waits for room in the queue to Kafka.</param>
    public async Task RunAsync(TradeHistory history, CancellationToken cancellationToken, CancellationToken stoppingToken)
    {
        while (true)
        {
            await Lost.WaitAsync(cancellationToken);
            var (since, losses) = Missing;
            await FillAsync(history, since, cancellationToken, stoppingToken);
            await Task.Delay(CacheAge, time, cancellationToken);
            await FillAsync(history, since, cancellationToken, stoppingToken);
            Filled(losses);
        }
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_problem is { } problem ? HealthCheckResult.Degraded(problem) : HealthCheckResult.Healthy());

    private Task Lost
    {
        get { lock (_gate) return _lost.Task; }
    }

    private (long Since, int Losses) Missing
    {
        get { lock (_gate) return (_missingSince!.Value, _losses); }
    }

    private async Task FillAsync(TradeHistory history, long since, CancellationToken cancellationToken, CancellationToken stoppingToken)
    {
        var wait = FirstWait;
        while (true)
        {
            try
            {
                var (frames, isCut) = await history.ListAsync(since, cancellationToken);
                foreach (var frame in frames) await PublishAsync(frame, stoppingToken);
                _problem = isCut ? $"more than {TradeHistory.MaxTrades} trades were missed; the oldest of them are lost." : null;
                LogFilled(DateTimeOffset.FromUnixTimeMilliseconds(since), frames.Count, isCut);
                return;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested && exception is not EnvelopeLostException)
            {
                _problem = $"Trades since {DateTimeOffset.FromUnixTimeMilliseconds(since):HH:mm:ss} UTC may be missing: {exception.Message}";
                LogNotFilled(DateTimeOffset.FromUnixTimeMilliseconds(since), exception.Message, wait.TotalSeconds);
            }

            await Task.Delay(wait * (0.5 + Random.Shared.NextDouble() / 2), time, cancellationToken);
            wait = wait * 2 < MaxWait ? wait * 2 : MaxWait;
        }
    }

    private Task PublishAsync(byte[] frame, CancellationToken stoppingToken)
    {
        if (!ExchangeFrame.TryParse(frame, out var parsed, out var error)) throw new InvalidDataException($"A listed trade cannot be read: {error}");
        return pipeline.FillTradeAsync(new ReceivedFrame(frame, time.GetUtcNow().ToUnixTimeMilliseconds(), time.GetTimestamp()), parsed, stoppingToken);
    }

    // Of a loss that came meanwhile, only a listing that is asked for later knows all.
    private void Filled(int losses)
    {
        lock (_gate)
        {
            if (_losses != losses) return;
            _missingSince = null;
            _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    [LoggerMessage(61, LogLevel.Information, "Listed {Trades} trades since {Since:HH:mm:ss} for those that were missed (cut: {IsCut}).")]
    private partial void LogFilled(DateTimeOffset since, int trades, bool isCut);

    [LoggerMessage(62, LogLevel.Warning, "Missed trades since {Since:HH:mm:ss} cannot be listed: {Reason} Asking again in {Seconds:F0} s.")]
    private partial void LogNotFilled(DateTimeOffset since, string reason, double seconds);
}
