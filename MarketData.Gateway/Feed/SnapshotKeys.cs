using System.Threading.Channels;
using MarketData.Domain.Channels;
using StackExchange.Redis;

namespace MarketData.Gateway.Feed;

/// <summary>A request for a market's snapshot key.</summary>
/// <param name="Market">The market.</param>
/// <param name="Attempt">The market's <see cref="MarketFeed.Attempt"/> at that time; an answer to an earlier one is void.</param>
public sealed record SnapshotKeyRequest(MarketFeed Market, int Attempt);

/// <summary>
/// Reads the relay's snapshot keys for the feed, many in one round trip, and posts the answers; every request is answered. A market has
/// one valid request outstanding, so the queue is bounded by the number of markets.
/// </summary>
public sealed partial class SnapshotKeys(
    IServiceProvider services, FeedInbox inbox, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<SnapshotKeys> logger) : BackgroundService
{
    private const int MaxBatch = 256;
    private readonly Channel<SnapshotKeyRequest> _requests = Channel.CreateUnbounded<SnapshotKeyRequest>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Channel<int> _listings = Channel.CreateBounded<int>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

    // Resolved at the first use, not when the host starts: the first connect blocks while Redis is down.
    private IConnectionMultiplexer Redis => services.GetRequiredService<IConnectionMultiplexer>();

    /// <summary>Asks for a market's key, after a delay when the last answer did not suffice.</summary>
    public void Request(SnapshotKeyRequest request, TimeSpan delay) => Post(_requests.Writer, request, delay);

    /// <summary>Asks for the list of markets that have a key.</summary>
    /// <param name="listing">Comes back with the answer. Of several requests that wait, the last is answered.</param>
    /// <param name="delay">When to look.</param>
    public void RequestList(int listing, TimeSpan delay) => Post(_listings.Writer, listing, delay);

    /// <summary>The markets that have a snapshot key, sorted.</summary>
    /// <exception cref="RedisException">Redis does not answer.</exception>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken)
    {
        var servers = Redis.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }).ToList();
        if (servers.Count == 0) throw new RedisException("not connected");
        var tickers = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var server in servers)
        {
            await foreach (var key in server.KeysAsync(pattern: RedisNames.SnapshotKeyPattern, pageSize: 1000).WithCancellation(cancellationToken))
                tickers.Add(RedisNames.TickerOfSnapshotKey(key.ToString()));
        }

        return [.. tickers];
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(ReadKeysAsync(stoppingToken), ListKeysAsync(stoppingToken));

    private void Post<T>(ChannelWriter<T> writer, T request, TimeSpan delay)
    {
        if (delay == TimeSpan.Zero) writer.TryWrite(request);
        else _ = PostLaterAsync();

        async Task PostLaterAsync()
        {
            // When the service stops nobody is left to answer.
            await Task.Delay(delay, time, lifetime.ApplicationStopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            writer.TryWrite(request);
        }
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
                values = await Redis.GetDatabase().StringGetAsync([.. batch.Select(request => (RedisKey)RedisNames.SnapshotKey(request.Market.Ticker))]);
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
        await foreach (int listing in _listings.Reader.ReadAllAsync(stoppingToken))
        {
            IReadOnlyList<string>? tickers = null;
            try
            {
                tickers = await ListAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                LogUnlisted(exception.Message);
            }

            await inbox.PostAsync(new SnapshotKeysListed(listing, tickers), stoppingToken);
        }
    }

    [LoggerMessage(20, LogLevel.Warning, "{Count} snapshot keys could not be read: {Reason}")]
    private partial void LogUnreadable(int count, string reason);

    [LoggerMessage(21, LogLevel.Warning, "The snapshot keys could not be listed: {Reason}")]
    private partial void LogUnlisted(string reason);
}
