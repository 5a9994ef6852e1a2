using System.Net.WebSockets;
using System.Text;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Clients;

namespace MarketData.Gateway.Feed;

/// <summary>
/// Puts messages into clients' queues, with the policy for a full one: order books and tickers are conflated to their latest state, a
/// client that would lose a trade or a life-cycle message is closed. Belongs to the feed's loop.
/// </summary>
public sealed class Delivery(GatewayMetrics metrics, TimeProvider time)
{
    private const WebSocketCloseStatus TryAgainLater = (WebSocketCloseStatus)1013;
    private readonly SnapshotEnvelope _snapshots = new();
    private long _routed;

    /// <summary>Gives a message to everybody who wants it, once each.</summary>
    public void Route(MarketFeed market, MarketChannel channel, byte[] message, SubscriptionTable table)
    {
        _routed++;
        var audience = table.Of(market.Ticker, channel);
        RouteTo(audience.First, market, channel, message);
        RouteTo(audience.Second, market, channel, message);
        RouteTo(audience.Third, market, channel, message);
        RouteTo(audience.Fourth, market, channel, message);
        RouteTo(audience.Fifth, market, channel, message);
    }

    /// <summary>Gives a live book whole to everybody who wants it.</summary>
    public void RouteSnapshot(MarketFeed market, SubscriptionTable table) =>
        Route(market, MarketChannel.OrderbookSnapshot, market.Snapshot(_snapshots, time), table);

    /// <summary>Gives a live book whole to one client.</summary>
    public void Give(GatewayClient client, MarketFeed market)
    {
        if (!client.Queue.TryAdd(market.Snapshot(_snapshots, time))) Conflate(client, new ConflatedState(market, StreamKind.OrderBook));
    }

    /// <summary>Gives an answer to a client; one whose queue has no room even for that is closed.</summary>
    public void Reply(GatewayClient client, byte[] reply)
    {
        if (!client.Queue.TryAdd(reply)) CloseSlow(client, "an answer");
    }

    /// <summary>Gives a client that has room again the latest state of what was conflated.</summary>
    public void CatchUp(GatewayClient client)
    {
        do
        {
            foreach (var state in client.Conflated.ToList())
            {
                // A book that is being synchronized comes whole to everybody when it is right again.
                var message = state.Stream != StreamKind.OrderBook ? state.Market.LastTicker
                    : state.Market.State == BookState.Live ? state.Market.Snapshot(_snapshots, time) : null;
                if (message != null && !client.Queue.TryAdd(message)) break;
                client.Conflated.Remove(state);
            }

            client.IsConflated = client.Conflated.Count > 0;
        }
        while (MissedDrain(client));
    }

    /// <summary>Forgets conflated state that no subscription of the client carries any more.</summary>
    public static void ForgetUnwanted(GatewayClient client)
    {
        if (client.Conflated.Count > 0) client.Conflated.RemoveWhere(state => !client.Wants(state));
    }

    private void RouteTo(HashSet<GatewayClient> clients, MarketFeed market, MarketChannel channel, byte[] message)
    {
        foreach (var client in clients)
        {
            if (client.LastRouted == _routed || client.IsClosing) continue;
            client.LastRouted = _routed;
            var stream = channel.Stream();
            bool isState = stream is StreamKind.OrderBook or StreamKind.Ticker;
            var state = isState ? new ConflatedState(market, stream) : default;
            if (isState && client.Conflated.Count > 0 && client.Conflated.Contains(state)) continue;
            if (client.Queue.TryAdd(message)) continue;
            if (isState) Conflate(client, state);
            else CloseSlow(client, $"a {Encoding.UTF8.GetString(channel.Utf8Name())} message of {market.Ticker}");
        }
    }

    private void Conflate(GatewayClient client, ConflatedState state)
    {
        if (client.Conflated.Add(state)) metrics.Conflated();
        client.IsConflated = true;
        if (MissedDrain(client)) CatchUp(client);
    }

    // The send loop looks for conflated state after each message: it has not seen what was conflated after its last one.
    private static bool MissedDrain(GatewayClient client) => client.IsConflated && client.Queue.PendingBytes == 0 && !client.IsClosing;

    private void CloseSlow(GatewayClient client, string lost)
    {
        if (client.TryClose(TryAgainLater, $"Too slow: no room for {lost}.")) metrics.ClosedSlow();
    }
}
