using MarketData.Domain.Frames;
using MarketData.Ingest.Pipeline;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Upstream;

/// <summary>
/// Keeps one connection to the exchange: discovers, subscribes, and hands every frame to the pipeline in the order of arrival.
/// Whatever goes wrong ends in a new connection, whose snapshots make every book right again.
/// </summary>
public sealed partial class UpstreamService(
    IServiceProvider services,
    FramePipeline pipeline,
    KafkaTopic topic,
    UpstreamStatus status,
    IngestMetrics metrics,
    IOptions<UpstreamOptions> options,
    IConfiguration configuration,
    TimeProvider time,
    ILogger<UpstreamService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        status.Down("waiting for Kafka");
        await topic.EnsureAsync(stoppingToken);
        var backoff = new ReconnectBackoff(time);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RunConnectionAsync(backoff, stoppingToken);
                status.Down("the exchange closed the connection");
                LogClosed();
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                if (exception is SequenceGapException) metrics.Gap();
                status.Down(exception.Message);
                var wait = backoff.Next();
                LogDown(exception.Message, wait.TotalSeconds, exception is SequenceGapException or IOException or TimeoutException ? null : exception);
                await Task.Delay(wait, time, stoppingToken);
            }

            metrics.Reconnected();
        }
    }

    // Returns when the exchange closes in order; throws on anything else.
    private async Task RunConnectionAsync(ReconnectBackoff backoff, CancellationToken stoppingToken)
    {
        using var scope = services.CreateScope();
        var discovery = scope.ServiceProvider.GetRequiredService<MarketDiscovery>();
        var (_, address) = options.Value.Addresses(configuration);
        var tickers = await discovery.ListOpenMarketsAsync(stoppingToken);
        using var connection = await ExchangeConnection.ConnectAsync(address, options.Value, time, stoppingToken);
        backoff.Connected();
        LogConnected(address, tickers.Count);

        var session = new SubscriptionSession(connection, options.Value, time, logger);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var subscribing = SubscribeAsync(session, discovery, tickers, ending.Token);
        var receiving = ReceiveAsync(connection, session, ending.Token);
        var first = await Task.WhenAny(subscribing, receiving);
        await ending.CancelAsync();
        await Task.WhenAll(subscribing, receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }

    private async Task ReceiveAsync(ExchangeConnection connection, SubscriptionSession session, CancellationToken cancellationToken)
    {
        while (await connection.ReceiveAsync(cancellationToken) is { } received)
        {
            if (ExchangeFrame.TryParse(received.Bytes.Span, out var frame, out var error))
            {
                session.Observe(received.Bytes.Span, frame);
                metrics.Received(frame.Type);
                await pipeline.ProcessAsync(received, frame, cancellationToken);
            }
            else
            {
                // A lost frame that carried a number shows as a gap with the next one.
                metrics.Dropped("malformed");
                LogMalformed(received.Bytes.Length, error);
            }
        }
    }

    private async Task SubscribeAsync(SubscriptionSession session, MarketDiscovery discovery, IReadOnlyList<string> tickers, CancellationToken cancellationToken)
    {
        await session.SubscribeAllMarketsAsync(cancellationToken);
        while (true)
        {
            await session.SubscribeBooksAsync(tickers, cancellationToken);
            status.Subscribed(session.BookCount);
            await Task.Delay(TimeSpan.FromSeconds(options.Value.RefreshSeconds), time, cancellationToken);
            tickers = await discovery.ListOpenMarketsAsync(cancellationToken);
        }
    }

    [LoggerMessage(10, LogLevel.Information, "Connected to {Address}; subscribing {Markets} markets.")]
    private partial void LogConnected(Uri address, int markets);

    [LoggerMessage(11, LogLevel.Information, "The exchange closed the connection; connecting again.")]
    private partial void LogClosed();

    [LoggerMessage(12, LogLevel.Warning, "The exchange's feed is down: {Reason} Connecting again in {Seconds:F1} s.")]
    private partial void LogDown(string reason, double seconds, Exception? exception);

    [LoggerMessage(13, LogLevel.Warning, "Skipped a malformed frame of {Length} bytes: {Reason}")]
    private partial void LogMalformed(int length, string? reason);
}
