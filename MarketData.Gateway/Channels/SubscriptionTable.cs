using MarketData.Domain.Channels;
using MarketData.Gateway.Clients;
using MarketData.Gateway.Fanout;

namespace MarketData.Gateway.Channels;

/// <summary>Who wants what, among the clients of one worker. Belongs to that worker.</summary>
public sealed class SubscriptionTable
{
    private static readonly HashSet<GatewayClient> Nobody = [];
    private readonly Dictionary<Topic, HashSet<GatewayClient>> _clients = [];

    public void Add(GatewayClient client, Topic topic)
    {
        if (!_clients.TryGetValue(topic, out var set)) _clients[topic] = set = [];
        set.Add(client);
    }

    public void Remove(GatewayClient client, Topic topic)
    {
        if (!_clients.TryGetValue(topic, out var set)) return;
        set.Remove(client);
        if (set.Count == 0) _clients.Remove(topic);
    }

    /// <summary>
    /// The sets of clients that a message of a market goes to; a client may be in several. A delta channel carries the market's snapshots
    /// too, so that its subscribers have the whole book stream; a snapshot channel carries snapshots only.
    /// </summary>
    public Audience Of(Market market, MarketChannel type) => new(
        Of(Topic.All),
        Of(new Topic(null, type)),
        Of(new Topic(market, type)),
        type == MarketChannel.OrderbookSnapshot ? Of(new Topic(null, MarketChannel.OrderbookDelta)) : Nobody,
        type == MarketChannel.OrderbookSnapshot ? Of(new Topic(market, MarketChannel.OrderbookDelta)) : Nobody);

    /// <summary>Whether any channel of the client carries this state.</summary>
    public bool Carries(GatewayClient client, ConflatedState state) =>
        Of(state.Market, state.Stream == StreamKind.OrderBook ? MarketChannel.OrderbookSnapshot : MarketChannel.TickerV2).Has(client);

    private HashSet<GatewayClient> Of(Topic topic) => _clients.GetValueOrDefault(topic, Nobody);
}

/// <summary>The sets of clients that one message goes to.</summary>
public readonly record struct Audience(
    HashSet<GatewayClient> First, HashSet<GatewayClient> Second, HashSet<GatewayClient> Third, HashSet<GatewayClient> Fourth, HashSet<GatewayClient> Fifth)
{
    public bool Has(GatewayClient client) =>
        First.Contains(client) || Second.Contains(client) || Third.Contains(client) || Fourth.Contains(client) || Fifth.Contains(client);
}
