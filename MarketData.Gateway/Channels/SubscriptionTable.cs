using MarketData.Domain.Channels;
using MarketData.Gateway.Clients;

namespace MarketData.Gateway.Channels;

/// <summary>Who wants what. Belongs to the feed's loop.</summary>
public sealed class SubscriptionTable
{
    private static readonly HashSet<GatewayClient> Nobody = [];
    private readonly HashSet<GatewayClient> _all = [];
    private readonly Dictionary<MarketChannel, HashSet<GatewayClient>> _everyMarket = [];
    private readonly Dictionary<(string Ticker, MarketChannel Type), HashSet<GatewayClient>> _oneMarket = [];

    public void Add(GatewayClient client, ChannelName name) => SetOf(name, create: true).Add(client);

    public void Remove(GatewayClient client, ChannelName name)
    {
        var set = SetOf(name, create: false);
        set.Remove(client);
        if (set.Count == 0 && name.Ticker != null) _oneMarket.Remove((name.Ticker, name.Type));
    }

    /// <summary>
    /// The sets of clients that a message of a market goes to; a client may be in several. A delta channel carries the market's snapshots
    /// too, so that its subscribers have the whole book stream; a snapshot channel carries snapshots only.
    /// </summary>
    public Audience Of(string ticker, MarketChannel type) => new(
        _all,
        Every(type),
        One(ticker, type),
        type == MarketChannel.OrderbookSnapshot ? Every(MarketChannel.OrderbookDelta) : Nobody,
        type == MarketChannel.OrderbookSnapshot ? One(ticker, MarketChannel.OrderbookDelta) : Nobody);

    private HashSet<GatewayClient> Every(MarketChannel type) => _everyMarket.GetValueOrDefault(type, Nobody);

    private HashSet<GatewayClient> One(string ticker, MarketChannel type) => _oneMarket.GetValueOrDefault((ticker, type), Nobody);

    private HashSet<GatewayClient> SetOf(ChannelName name, bool create)
    {
        if (name.IsAll) return _all;
        if (name.Ticker == null)
        {
            if (_everyMarket.TryGetValue(name.Type, out var every)) return every;
            return create ? _everyMarket[name.Type] = [] : [];
        }

        if (_oneMarket.TryGetValue((name.Ticker, name.Type), out var one)) return one;
        return create ? _oneMarket[(name.Ticker, name.Type)] = [] : [];
    }
}

/// <summary>The sets of clients that one message goes to.</summary>
public readonly record struct Audience(
    HashSet<GatewayClient> First, HashSet<GatewayClient> Second, HashSet<GatewayClient> Third, HashSet<GatewayClient> Fourth, HashSet<GatewayClient> Fifth);
