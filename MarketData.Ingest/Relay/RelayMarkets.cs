using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

namespace MarketData.Ingest.Relay;

/// <summary>The markets that the relay has seen, with their books, and which of them have keys to write. Not thread-safe.</summary>
public sealed class RelayMarkets(TimeProvider time)
{
    private readonly Dictionary<byte[], RelayMarket>.AlternateLookup<ReadOnlySpan<byte>> _markets =
        new Dictionary<byte[], RelayMarket>(Utf8TextComparer.Instance).GetAlternateLookup<ReadOnlySpan<byte>>();

    private Queue<RelayMarket> _dirty = new();

    /// <summary>The market of an envelope.</summary>
    public RelayMarket Of(ReadOnlySpan<byte> bytes, in Envelope envelope, int partition)
    {
        var ticker = envelope.Ticker.IsEmpty ? KafkaNames.NoMarketKey : envelope.Ticker.Of(bytes);
        if (_markets.TryGetValue(ticker, out var market)) return market;
        market = new RelayMarket(ticker, partition);
        _markets[ticker] = market;
        return market;
    }

    /// <summary>Puts the keys of a market on the list of those to write.</summary>
    public void MarkDirty(RelayMarket market)
    {
        if (market.DirtySince != null) return;
        market.DirtySince = time.GetTimestamp();
        _dirty.Enqueue(market);
    }

    /// <summary>Redis may have lost its keys: every market's are written again.</summary>
    public void MarkAllDirty()
    {
        foreach (var market in _markets.Dictionary.Values) MarkDirty(market);
    }

    /// <summary>Marks the markets with levels whose keys have not been written for this long, so that no key in use expires.</summary>
    public void MarkUnwrittenFor(TimeSpan age)
    {
        foreach (var market in _markets.Dictionary.Values)
        {
            bool isOld = market.WrittenAt is not { } written || time.GetElapsedTime(written) > age;
            if (isOld && market.Book.HasBase && !market.Book.Book.IsEmpty) MarkDirty(market);
        }
    }

    /// <summary>Whether a market has changed before a time and its keys do not hold that yet.</summary>
    public bool HasDirtySince(long timestamp)
    {
        foreach (var market in _dirty)
        {
            if (market.DirtySince <= timestamp) return true;
        }

        return false;
    }

    /// <summary>Takes the dirty markets whose keys were not written within an interval.</summary>
    /// <param name="interval">Shortest time between two writes of one market.</param>
    /// <param name="limit">Most markets to take; the rest stays for the next call.</param>
    /// <param name="due">Gets the markets.</param>
    public void TakeDirty(TimeSpan interval, int limit, List<RelayMarket> due)
    {
        for (int i = _dirty.Count; i > 0 && due.Count < limit; i--)
        {
            var market = _dirty.Dequeue();
            if (market.WrittenAt is { } written && time.GetElapsedTime(written) < interval)
            {
                _dirty.Enqueue(market);
                continue;
            }

            market.DirtySince = null;
            due.Add(market);
        }
    }

    /// <summary>Forgets the markets of a partition that another relay takes over.</summary>
    public void Forget(int partition)
    {
        foreach (var market in _markets.Dictionary.Values.Where(market => market.Partition == partition).ToList())
            _markets.Dictionary.Remove(market.Ticker);
        _dirty = new Queue<RelayMarket>(_dirty.Where(market => market.Partition != partition));
    }
}
