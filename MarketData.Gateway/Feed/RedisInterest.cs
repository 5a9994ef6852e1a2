using System.Text;
using MarketData.Domain.Channels;
using MarketData.Gateway.Channels;

namespace MarketData.Gateway.Feed;

/// <summary>
/// Which Redis channels are needed for what clients subscribe: the channel of one market and type while somebody wants just that, the
/// channel of all while somebody wants more. Belongs to the feed's loop.
/// </summary>
public sealed class RedisInterest(RedisSubscriber subscriber)
{
    private readonly Dictionary<string, int> _counts = [];
    private readonly HashSet<string> _confirmed = [];

    /// <summary>Whether the channel of all is subscribed.</summary>
    public bool IsAllWanted => _counts.ContainsKey(RedisNames.AllChannel);

    /// <summary>Whether a stream of a market arrives.</summary>
    public bool IsWanted(string ticker, MarketChannel type) =>
        IsAllWanted || _counts.ContainsKey(RedisNames.Channel(ticker, Encoding.UTF8.GetString(type.Utf8Name())));

    /// <summary>Whether Redis has confirmed the subscription of a market's trades.</summary>
    public bool HasTrades(string ticker) => _confirmed.Contains(TradeChannel(ticker));

    /// <summary>Redis has confirmed a subscription.</summary>
    public void Confirm(string channel)
    {
        if (_counts.ContainsKey(channel)) _confirmed.Add(channel);
    }

    /// <summary>The connection is lost: nothing is subscribed.</summary>
    public void Lose() => _confirmed.Clear();

    /// <summary>Counts a client's channel in.</summary>
    public void Add(ChannelName name)
    {
        foreach (var channel in RedisChannels(name))
        {
            int count = _counts[channel] = _counts.GetValueOrDefault(channel) + 1;
            if (count == 1) subscriber.Want(channel, wanted: true);
        }
    }

    /// <summary>Counts a client's channel out.</summary>
    public void Remove(ChannelName name)
    {
        foreach (var channel in RedisChannels(name))
        {
            int count = --_counts[channel];
            if (count > 0) continue;
            _counts.Remove(channel);
            _confirmed.Remove(channel);
            subscriber.Want(channel, wanted: false);
        }
    }

    /// <summary>Whether a channel name is about order books.</summary>
    public static bool IsBook(ChannelName name) => name.IsAll || name.Type.Stream() == StreamKind.OrderBook;

    /// <summary>The market whose book a Redis channel carries; null for other channels.</summary>
    public static string? BookTickerOf(string channel) => TickerOf(channel, StreamKind.OrderBook);

    /// <summary>The market whose trades a Redis channel carries; null for other channels.</summary>
    public static string? TradeTickerOf(string channel) => TickerOf(channel, StreamKind.Trade);

    private static string? TickerOf(string channel, StreamKind stream)
    {
        // market-data:{ticker}:{type}; no ticker holds a colon.
        var parts = channel.Split(':');
        return parts.Length == 3 && MarketChannels.Parse(Encoding.UTF8.GetBytes(parts[2])).Stream() == stream ? parts[1] : null;
    }

    private static string TradeChannel(string ticker) => RedisNames.Channel(ticker, Encoding.UTF8.GetString(MarketChannel.Trade.Utf8Name()));

    // A book stream is on two channels, whichever of them the client named.
    private static IEnumerable<string> RedisChannels(ChannelName name)
    {
        if (name.Ticker == null) return [RedisNames.AllChannel];
        return IsBook(name)
            ? [RedisNames.Channel(name.Ticker, "orderbook_snapshot"), RedisNames.Channel(name.Ticker, "orderbook_delta")]
            : [RedisNames.Channel(name.Ticker, Encoding.UTF8.GetString(name.Type.Utf8Name()))];
    }
}
