using MarketData.Domain.Channels;

namespace MarketData.Ingest.Pipeline;

/// <summary>Every market that the log has or gets, by ticker. Belongs to whoever has the turn in the pipeline; the counts may be read by anybody.</summary>
public sealed class TrackedMarkets(TimeProvider time)
{
    private readonly Dictionary<byte[], TrackedMarket>.AlternateLookup<ReadOnlySpan<byte>> _markets =
        new Dictionary<byte[], TrackedMarket>(Utf8TextComparer.Instance).GetAlternateLookup<ReadOnlySpan<byte>>();

    private int _count, _restored;

    /// <summary>
    /// The epoch of counts that begin now, Unix milliseconds: this process's start, but later than every epoch in the log, whatever the
    /// clock was set to in between.
    /// </summary>
    public long Epoch { get; private set; } = time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The trades of all markets that the log has.</summary>
    public SeenTrades Trades { get; private set; } = new();

    public int Count => Volatile.Read(ref _count);

    /// <summary>Markets whose book was read back from the log.</summary>
    public int RestoredCount => Volatile.Read(ref _restored);

    /// <summary>The market of a ticker, or of the key of frames without one.</summary>
    public TrackedMarket Of(ReadOnlySpan<byte> ticker)
    {
        if (_markets.TryGetValue(ticker, out var market)) return market;
        market = new TrackedMarket(ticker.ToArray());
        _markets[ticker] = market;
        Volatile.Write(ref _count, _markets.Dictionary.Count);
        return market;
    }

    /// <summary>Forgets everything: another process has written on.</summary>
    public void Clear()
    {
        foreach (var market in _markets.Dictionary.Values) market.State = BookState.Stale;
        _markets.Dictionary.Clear();
        Trades = new SeenTrades();
        Volatile.Write(ref _count, 0);
    }

    /// <summary>Call when everything was read back from the log.</summary>
    public void EndRestore()
    {
        int restored = 0;
        foreach (var market in _markets.Dictionary.Values)
        {
            if (market.State == BookState.Restored) restored++;
            foreach (var stream in Enum.GetValues<StreamKind>()) Epoch = Math.Max(Epoch, market.Last(stream).Epoch + 1);
        }

        Volatile.Write(ref _restored, restored);
    }

    /// <summary>The markets with levels that were read back from the log and that the exchange has not confirmed.</summary>
    public List<TrackedMarket> Unconfirmed() => [.. _markets.Dictionary.Values.Where(market => market.State == BookState.Restored && !market.Book.IsEmpty)];

    /// <summary>The markets whose book follows the exchange over one connection.</summary>
    public List<TrackedMarket> Current(int connection) =>
        [.. _markets.Dictionary.Values.Where(market => market.State == BookState.Current && market.Connection == connection)];
}
