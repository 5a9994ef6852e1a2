using System.Text;
using MarketData.ServiceDefaults.Redis;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.Gateway.Feed;

/// <summary>
/// Keeps one Redis connection subscribed to the channels that are wanted and posts what arrives, in order. Also the health check
/// <c>feed</c>.
/// </summary>
public sealed partial class RedisSubscriber(RedisConnector redis, FeedInbox inbox, GatewayMetrics metrics, TimeProvider time, ILogger<RedisSubscriber> logger)
    : BackgroundService, IHealthCheck
{
    private const int MaxBatch = 512;
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(5), Silence = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100), MaxWait = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _changed = new(0, 1);

    // Guarded by _lock: what should be subscribed, and what of it Redis has not been told on this connection.
    private readonly HashSet<string> _wanted = [];
    private readonly Dictionary<string, bool> _changes = [];
    private volatile string? _problem = "not connected to Redis yet";

    /// <summary>Subscribes or unsubscribes a channel. Each subscribe is confirmed with a <see cref="RedisSubscribed"/>.</summary>
    public void Want(string channel, bool wanted)
    {
        lock (_lock)
        {
            if (wanted) _wanted.Add(channel);
            else _wanted.Remove(channel);
            _changes[channel] = wanted;
            if (_changed.CurrentCount == 0) _changed.Release();
        }
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_problem is { } problem
            ? new HealthCheckResult(context.Registration.FailureStatus, $"Clients receive nothing: {problem}")
            : HealthCheckResult.Healthy());

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var wait = FirstWait;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await redis.ConnectAsync("market-data-gateway", stoppingToken);
                wait = FirstWait;
                _problem = null;
                LogConnected();
                await RunAsync(connection, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                _problem = exception.Message;
                LogLost(exception.Message, wait.TotalSeconds, exception is IOException or TimeoutException ? null : exception);
                await inbox.PostAsync(new RedisLost(), stoppingToken);
                await Task.Delay(wait * (0.5 + Random.Shared.NextDouble() / 2), time, stoppingToken);
                wait = wait * 2 < MaxWait ? wait * 2 : MaxWait;
            }
        }
    }

    private async Task RunAsync(RespConnection connection, CancellationToken stoppingToken)
    {
        lock (_lock)
        {
            _changes.Clear();
            foreach (var channel in _wanted) _changes[channel] = true;
            if (_changed.CurrentCount == 0) _changed.Release();
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var writing = WriteAsync(connection, ending.Token);
        var reading = ReadAsync(connection, ending.Token);
        var first = await Task.WhenAny(writing, reading);
        await ending.CancelAsync();
        await Task.WhenAll(writing, reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }

    private async Task WriteAsync(RespConnection connection, CancellationToken cancellationToken)
    {
        while (true)
        {
            // A ping when nothing changes: the answer tells a silent connection from a quiet market.
            if (!await _changed.WaitAsync(PingInterval, cancellationToken)) connection.Write("PING"u8, "-"u8);
            KeyValuePair<string, bool>[] changes;
            lock (_lock)
            {
                changes = [.. _changes];
                _changes.Clear();
            }

            // Subscribe first: what moves from one channel to another must not fall between.
            foreach (var (channel, _) in changes.Where(change => change.Value)) connection.Write("SUBSCRIBE"u8, Encoding.UTF8.GetBytes(channel));
            foreach (var (channel, _) in changes.Where(change => !change.Value)) connection.Write("UNSUBSCRIBE"u8, Encoding.UTF8.GetBytes(channel));
            await connection.FlushAsync(cancellationToken);
        }
    }

    private async Task ReadAsync(RespConnection connection, CancellationToken cancellationToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        while (true)
        {
            silence.CancelAfter(Silence);
            RespReply reply;
            try
            {
                reply = await connection.ReadAsync(silence.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"Redis has been silent for {Silence.TotalSeconds} s.");
            }

            // The silence ends here: a full inbox is not Redis' fault.
            silence.CancelAfter(Timeout.InfiniteTimeSpan);
            var batch = new List<byte[]>();
            do
            {
                reply.ThrowIfError();
                var items = reply.Items.Span;
                if (items.Length < 3) continue;
                if (items[0].Data.Span.SequenceEqual("message"u8))
                {
                    metrics.Received();
                    batch.Add(items[2].Data.ToArray());
                }
                else if (items[0].Data.Span.SequenceEqual("subscribe"u8))
                {
                    var channel = Encoding.UTF8.GetString(items[1].Data.Span);
                    if (batch.Count > 0) await inbox.PostAsync(new RedisMessages(batch), cancellationToken);
                    batch = [];
                    await inbox.PostAsync(new RedisSubscribed(channel), cancellationToken);
                }
            }
            while (batch.Count < MaxBatch && connection.TryRead(out reply));
            if (batch.Count > 0) await inbox.PostAsync(new RedisMessages(batch), cancellationToken);
        }
    }

    [LoggerMessage(10, LogLevel.Information, "Receiving from Redis.")]
    private partial void LogConnected();

    [LoggerMessage(11, LogLevel.Warning, "The Redis feed is down: {Reason} Connecting again in {Seconds:F1} s.")]
    private partial void LogLost(string reason, double seconds, Exception? exception);
}
