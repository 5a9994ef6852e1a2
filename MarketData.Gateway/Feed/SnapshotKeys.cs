using System.Threading.Channels;
using MarketData.Domain.Channels;
using StackExchange.Redis;

namespace MarketData.Gateway.Feed;

/// <summary>A request for a market's snapshot key.</summary>
/// <param name="Ticker">The market.</param>
/// <param name="Attempt">Number of the synchronization that asked; an answer to an earlier one is out of date.</param>
public sealed record SnapshotKeyRequest(string Ticker, int Attempt);

/// <summary>
/// Reads the relay's snapshot keys for the feed, many in one round trip, and posts the answers. At most one request of a market is
/// outstanding, so the queue is bounded by the number of markets.
/// </summary>
public sealed partial class SnapshotKeys(IConnectionMultiplexer redis, FeedInbox inbox, TimeProvider time, ILogger<SnapshotKeys> logger) : BackgroundService
{
    private const int MaxBatch = 256;
    private readonly Channel<SnapshotKeyRequest> _requests = Channel.CreateUnbounded<SnapshotKeyRequest>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Channel<bool> _listings = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Asks for a market's key, after a delay when an earlier answer was too old.</summary>
    public void Request(SnapshotKeyRequest request, TimeSpan delay)
    {
        if (delay == TimeSpan.Zero) _requests.Writer.TryWrite(request);
        else _ = RequestLaterAsync(request, delay);
    }

    /// <summary>Asks for the list of markets that have a key.</summary>
    public void RequestList() => _listings.Writer.TryWrite(true);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(ReadKeysAsync(stoppingToken), ListKeysAsync(stoppingToken));

    private async Task RequestLaterAsync(SnapshotKeyRequest request, TimeSpan delay)
    {
        await Task.Delay(delay, time);
        _requests.Writer.TryWrite(request);
    }

    private async Task ReadKeysAsync(CancellationToken stoppingToken)
    {
        var batch = new List<SnapshotKeyRequest>();
        while (await _requests.Reader.WaitToReadAsync(stoppingToken))
        {
            batch.Clear();
            while (batch.Count < MaxBatch && _requests.Reader.TryRead(out var request)) batch.Add(request);
            var values = new RedisValue[batch.Count];
            try
            {
                values = await redis.GetDatabase().StringGetAsync([.. batch.Select(request => (RedisKey)RedisNames.SnapshotKey(request.Ticker))]);
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                // Answered as absent: the feed asks again.
                LogUnreadable(batch.Count, exception.Message);
            }

            for (int i = 0; i < batch.Count; i++) await inbox.PostAsync(new SnapshotKeyRead(batch[i], values[i]), stoppingToken);
        }
    }

    private async Task ListKeysAsync(CancellationToken stoppingToken)
    {
        while (await _listings.Reader.WaitToReadAsync(stoppingToken))
        {
            _listings.Reader.TryRead(out _);
            try
            {
                await inbox.PostAsync(new SnapshotKeysListed(await ListAsync(stoppingToken)), stoppingToken);
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                LogUnlisted(exception.Message);
                await Task.Delay(TimeSpan.FromSeconds(0.5 + Random.Shared.NextDouble()), time, stoppingToken);
                RequestList();
            }
        }
    }

    /// <summary>The markets that have a snapshot key, sorted.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken)
    {
        var tickers = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var server in redis.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }))
        {
            await foreach (var key in server.KeysAsync(pattern: RedisNames.SnapshotKeyPattern, pageSize: 1000).WithCancellation(cancellationToken))
                tickers.Add(RedisNames.TickerOfSnapshotKey(key.ToString()));
        }

        return [.. tickers];
    }

    [LoggerMessage(20, LogLevel.Warning, "{Count} snapshot keys could not be read: {Reason}")]
    private partial void LogUnreadable(int count, string reason);

    [LoggerMessage(21, LogLevel.Warning, "The snapshot keys could not be listed: {Reason}")]
    private partial void LogUnlisted(string reason);
}
