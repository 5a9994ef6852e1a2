using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Relay;

/// <summary>
/// Applies envelopes to the relay's books and writes them to Redis: each to its market's channel and to the channel of all, then, at
/// most once per interval, the keys of the markets that changed. Everything goes over one connection in order, so a key of a book
/// or a ticker is never ahead of what subscribers have been sent.
/// </summary>
public sealed class RelayPublisher(RelayMarkets markets, IOptions<RelayOptions> options, TimeProvider time)
{
    // Bounds what one round trip sends after a reconnect, when every key is due.
    private const int MaxMarketsPerWrite = 1000;
    private static readonly byte[] AllChannel = Encoding.UTF8.GetBytes(RedisNames.AllChannel);
    private readonly SnapshotEnvelope _snapshots = new();
    private readonly List<RelayMarket> _due = [];
    private readonly TimeSpan _snapshotInterval = TimeSpan.FromMilliseconds(options.Value.SnapshotIntervalMs);
    private readonly TimeSpan _expiry = TimeSpan.FromHours(options.Value.KeyExpiryHours);

    /// <summary>Writes a message. False when the market's book has no base in Redis either: the log must be read again.</summary>
    public bool Write(RelayConnection redis, in RelayedMessage message)
    {
        var envelope = message.Envelope;
        var market = markets.Of(message.Value, envelope, message.Partition);
        bool isFound = true;
        switch (envelope.Channel.Stream())
        {
            case StreamKind.OrderBook:
                isFound = ApplyToBook(redis, market, message);
                break;
            case StreamKind.Ticker:
                if (market.TryKeepTicker(message.Value, envelope)) markets.MarkDirty(market);
                break;
            case StreamKind.Trade when message.Publish:
                // Before it is published, so that nobody who subscribes and then reads the list misses one.
                redis.Append(market.TradesKey, message.Value, RedisNames.MaxTrades, _expiry);
                break;
        }

        if (!message.Publish) return true;
        redis.Publish(market.ChannelOf(message.Value, envelope), message.Value);
        redis.Publish(AllChannel, message.Value);
        return isFound;
    }

    /// <summary>Writes the keys of markets that changed and whose interval is over, or of all that changed.</summary>
    /// <returns>The number of markets.</returns>
    public int WriteKeys(RelayConnection redis, bool all = false)
    {
        _due.Clear();
        markets.TakeDirty(all ? TimeSpan.Zero : _snapshotInterval, all ? int.MaxValue : MaxMarketsPerWrite, _due);
        foreach (var market in _due)
        {
            market.WrittenAt = time.GetTimestamp();
            if (market.Book.HasBase)
            {
                redis.Set(market.SnapshotKey, _snapshots.Write(market.Ticker, market.Book, time.GetUtcNow().ToUnixTimeMilliseconds()).Span, _expiry);
            }

            if (market.LastTicker != null) redis.Set(market.LastTickerKey, market.LastTicker, _expiry);
        }

        return _due.Count;
    }

    private bool ApplyToBook(RelayConnection redis, RelayMarket market, in RelayedMessage message)
    {
        var outcome = market.Book.Apply(message.Value, message.Envelope);
        if (outcome == BookOutcome.Gap && !market.IsBaseSought)
        {
            // After a restart the key that the last relay wrote is the base: offsets are committed only once the keys hold what they cover.
            if (redis.Get(market.SnapshotKey) is { } key && Envelope.TryParse(key, out var envelope, out _)) market.Book.Apply(key, envelope);
            market.IsBaseSought = true;
            outcome = market.Book.Apply(message.Value, message.Envelope);
        }

        if (outcome == BookOutcome.Applied) markets.MarkDirty(market);
        return outcome != BookOutcome.Gap || market.Book.HasBase;
    }
}
