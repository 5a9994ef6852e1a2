using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

namespace MarketData.Ingest.Relay;

/// <summary>The markets that the relay has seen, with their books, and which of them have keys to write. Not thread-safe.</summary>
public sealed class RelayMarkets
{
    private readonly Dictionary<byte[], RelayMarket>.AlternateLookup<ReadOnlySpan<byte>> _markets =
        new Dictionary<byte[], RelayMarket>(Utf8TextComparer.Instance).GetAlternateLookup<ReadOnlySpan<byte>>();

    private readonly Queue<RelayMarket> _dirty = new();

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
        if (market.IsDirty) return;
        market.IsDirty = true;
        _dirty.Enqueue(market);
    }

    /// <summary>Redis may have lost its keys: every market's are written again.</summary>
    public void MarkAllDirty()
    {
        foreach (var market in _markets.Dictionary.Values) MarkDirty(market);
    }

    /// <summary>Marks the markets with levels whose keys have not been written for a while, so that no key in use expires.</summary>
    public void MarkUnwrittenSince(long timestamp)
    {
        foreach (var market in _markets.Dictionary.Values)
        {
            if (market.WrittenAt < timestamp && market.Book.HasBase && !market.Book.Book.IsEmpty) MarkDirty(market);
        }
    }

    /// <summary>Takes every dirty market whose keys were last written at or before a time.</summary>
    public void TakeDirty(long writtenUntil, List<RelayMarket> due)
    {
        for (int i = _dirty.Count; i > 0; i--)
        {
            var market = _dirty.Dequeue();
            if (market.WrittenAt > writtenUntil)
            {
                _dirty.Enqueue(market);
                continue;
            }

            market.IsDirty = false;
            due.Add(market);
        }
    }

    /// <summary>Forgets the markets of a partition that another relay takes over.</summary>
    public void Forget(int partition)
    {
        var gone = _markets.Dictionary.Values.Where(market => market.Partition == partition).ToList();
        foreach (var market in gone) _markets.Dictionary.Remove(market.Ticker);
        int count = _dirty.Count;
        for (int i = 0; i < count; i++)
        {
            var market = _dirty.Dequeue();
            if (market.Partition != partition) _dirty.Enqueue(market);
        }
    }
}
