namespace MarketData.Ingest.Upstream;

/// <summary>What the receiving side of a connection found to be asked for anew.</summary>
/// <param name="AllBooks">A change of some book was lost, and nobody knows of which.</param>
/// <param name="BooksEnded">The exchange ended the subscription to books.</param>
/// <param name="Books">Books that are wrong for themselves.</param>
/// <param name="Channels">Channels of all markets whose subscription the exchange ended.</param>
/// <param name="Closed">Markets that are determined or settled: their book is not needed any more.</param>
/// <param name="Refresh">Markets came or went: the listing is worth a look.</param>
public sealed record ResyncDemand(
    bool AllBooks, bool BooksEnded, IReadOnlyCollection<string> Books, IReadOnlyCollection<string> Channels, IReadOnlyCollection<string> Closed, bool Refresh);

/// <summary>
/// Hands what must be asked for anew from the loop that receives to the loop that sends commands. Each thing is held once, so it is
/// bounded by the number of markets. Thread-safe.
/// </summary>
public sealed class ResyncQueue
{
    // Guards everything below.
    private readonly Lock _gate = new();
    private readonly HashSet<string> _books = [], _channels = [], _closed = [];
    private HashSet<string>? _awaited;
    private bool _allBooks, _booksEnded, _refresh;
    private TaskCompletionSource _demanded = Signal(), _arrived = Signal();

    /// <summary>Completes when there is something to take.</summary>
    public Task Demanded
    {
        get { lock (_gate) return _demanded.Task; }
    }

    public void AskForAllBooks() => Demand(() => _allBooks = true);

    public void AskForBook(string ticker) => Demand(() => _books.Add(ticker));

    public void BooksEnded() => Demand(() => _booksEnded = true);

    public void ChannelEnded(string channel) => Demand(() => _channels.Add(channel));

    public void MarketClosed(string ticker) => Demand(() => _closed.Add(ticker));

    public void MarketsChanged() => Demand(() => _refresh = true);

    /// <summary>Everything that was asked for since the last call.</summary>
    public ResyncDemand Take()
    {
        lock (_gate)
        {
            var demand = new ResyncDemand(_allBooks, _booksEnded, [.. _books], [.. _channels], [.. _closed], _refresh);
            _books.Clear();
            _channels.Clear();
            _closed.Clear();
            _allBooks = _booksEnded = _refresh = false;
            if (_demanded.Task.IsCompleted) _demanded = Signal();
            return demand;
        }
    }

    /// <summary>Completes when a snapshot of each of these markets has arrived.</summary>
    public Task ExpectSnapshots(IEnumerable<string> tickers)
    {
        lock (_gate)
        {
            _awaited = [.. tickers];
            _arrived = Signal();
            return _arrived.Task;
        }
    }

    public void SnapshotArrived(ReadOnlySpan<char> ticker)
    {
        lock (_gate)
        {
            if (_awaited is { Count: > 0 } awaited && awaited.GetAlternateLookup<ReadOnlySpan<char>>().Remove(ticker) && awaited.Count == 0) _arrived.TrySetResult();
        }
    }

    private void Demand(Action note)
    {
        lock (_gate)
        {
            note();
            _demanded.TrySetResult();
        }
    }

    private static TaskCompletionSource Signal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
