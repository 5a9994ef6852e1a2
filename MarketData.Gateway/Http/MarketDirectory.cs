using MarketData.Gateway.Feed;

namespace MarketData.Gateway.Http;

/// <summary>
/// The known markets, listed from Redis at most once a second and never twice at a time, however many ask: a list walks through all keys
/// there. Thread-safe.
/// </summary>
public sealed class MarketDirectory(SnapshotKeys keys, TimeProvider time)
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(10);
    private readonly Lock _lock = new();

    // Guarded by _lock: the last listing, under way or complete, and when it began.
    private Task<IReadOnlyList<string>>? _listing;
    private long _began;

    /// <summary>The tickers of markets that have a snapshot key, sorted by their bytes; of the last second, or as Redis lists them now.</summary>
    /// <exception cref="StackExchange.Redis.RedisException">Redis does not answer.</exception>
    /// <exception cref="TimeoutException">It does not answer in time.</exception>
    public Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            bool isFresh = _listing is { IsCompletedSuccessfully: true } && time.GetElapsedTime(_began) < MaxAge;
            if (!isFresh && _listing is not { IsCompleted: false })
            {
                _began = time.GetTimestamp();
                // Not the request's own token: others wait for the same listing.
                _listing = ListOnceAsync();
            }

            return _listing!.WaitAsync(cancellationToken);
        }
    }

    private async Task<IReadOnlyList<string>> ListOnceAsync()
    {
        using var limit = new CancellationTokenSource(Timeout, time);
        try
        {
            // Resolving the connection blocks while Redis is down: not in the lock.
            return await Task.Run(() => keys.ListAsync(limit.Token), limit.Token).WaitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"no list of markets within {Timeout.TotalSeconds} s");
        }
    }
}
