using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Upstream;

/// <summary>
/// The listed markets, shared out over the connections, and what one connection hears of markets that others follow. Thread-safe.
/// </summary>
public sealed class MarketDirectory(IServiceScopeFactory scopes, IOptions<UpstreamOptions> options, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);

    // Guards what follows.
    private readonly Lock _gate = new();
    private MarketAssignment _assignment = new(options.Value.MarketsPerConnection);
    private TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long? _listedAt;

    /// <summary>A market is determined or settled: nobody needs its book any more.</summary>
    public event Action<string>? Closed;

    /// <summary>There is a new listing.</summary>
    public event Action? Listed;

    /// <summary>Begins anew, with one connection and no listing.</summary>
    public void Clear()
    {
        lock (_gate) (_assignment, _listedAt) = (new MarketAssignment(options.Value.MarketsPerConnection), null);
    }

    /// <summary>The markets of one connection, listed anew unless the listing is young enough.</summary>
    /// <param name="connection">Counted from 0.</param>
    /// <param name="maxAge">Oldest listing that will do.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="HttpRequestException">The exchange cannot be reached or refused, after retries.</exception>
    /// <exception cref="InvalidDataException">The answer is no page of markets.</exception>
    public async Task<IReadOnlyCollection<string>> ListAsync(int connection, TimeSpan maxAge, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (Age is not { } age || age > maxAge)
            {
                await using var scope = scopes.CreateAsyncScope();
                var listed = await scope.ServiceProvider.GetRequiredService<MarketDiscovery>().ListMarketsAsync(cancellationToken);
                Take(listed);
            }
        }
        finally
        {
            _turn.Release();
        }

        lock (_gate) return _assignment.Of(connection);
    }

    /// <summary>Whether another connection is to follow a market.</summary>
    public bool IsListedElsewhere(string ticker, int connection)
    {
        lock (_gate) return _assignment.ConnectionOf(ticker) is { } other && other != connection;
    }

    /// <summary>Completes when the markets need more connections than these.</summary>
    public async Task MoreThanAsync(int connections, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task grown;
            lock (_gate)
            {
                if (_assignment.Connections > connections) return;
                grown = _grown.Task;
            }

            await grown.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Tells every connection.</summary>
    public void NoteClosed(string ticker) => Closed?.Invoke(ticker);

    public void Dispose() => _turn.Dispose();

    private TimeSpan? Age
    {
        get { lock (_gate) return _listedAt is { } at ? time.GetElapsedTime(at) : null; }
    }

    private void Take(IReadOnlyCollection<string> listed)
    {
        lock (_gate)
        {
            int before = _assignment.Connections;
            _assignment.Update(listed);
            _listedAt = time.GetTimestamp();
            if (_assignment.Connections > before)
            {
                _grown.SetResult();
                _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        Listed?.Invoke();
    }
}
