using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Gateway.Clients;
using MarketData.Gateway.Fanout;

namespace MarketData.Gateway.Feed;

/// <summary>Writes the log that the fan-out workers follow. Belongs to the feed's loop.</summary>
public sealed class Delivery(FeedLog log, TimeProvider time)
{
    private readonly SnapshotEnvelope _snapshots = new();

    /// <summary>Largest message that can be delivered, in bytes.</summary>
    public int MaxMessage => log.MaxMessage;

    /// <summary>Gives a message to everybody who wants it, once each.</summary>
    public void Route(MarketFeed market, MarketChannel channel, byte[] message) => log.Append(market.Market, channel, message);

    /// <summary>Gives a live book whole to everybody who wants it.</summary>
    public void RouteSnapshot(MarketFeed market) => Route(market, MarketChannel.OrderbookSnapshot, market.Snapshot(_snapshots, time));

    /// <summary>Gives an answer to a client.</summary>
    public void Reply(GatewayClient client, byte[] reply) => log.Append(new SendFrame(client, WebSocketFrame.Text(reply)));

    /// <summary>From here on a client gets a channel of one market, after the market's book if that is live.</summary>
    public void Add(GatewayClient client, Topic topic, MarketFeed? live)
    {
        Prepare(client);
        if (live != null)
            log.Append(new SendFrame(client, WebSocketFrame.Text(live.Snapshot(_snapshots, time)), new ConflatedState(live.Market, StreamKind.OrderBook)));
        log.Append(new AddTopic(client, topic, []));
    }

    /// <summary>From here on a client gets a channel of all markets; it asks for the live books as it has room for them.</summary>
    public void AddWide(GatewayClient client, Topic topic, IEnumerable<MarketFeed> live)
    {
        Prepare(client);
        log.Append(new AddTopic(client, topic, [.. live.Select(market => new ConflatedState(market.Market, StreamKind.OrderBook))]));
    }

    /// <summary>From here on a client gets these channels no more.</summary>
    public void Remove(GatewayClient client, IReadOnlyList<Topic> topics) => log.Append(new RemoveTopics(client, topics));

    /// <summary>Gives a client that has room the latest of what was conflated for it.</summary>
    /// <param name="refresh">What it asks for.</param>
    /// <param name="find">The market as it is followed now; null when it is not.</param>
    public void Refresh(ClientRefresh refresh, Func<string, MarketFeed?> find)
    {
        var states = new List<(ConflatedState, byte[]?)>();
        long room = refresh.Room;
        foreach (var state in refresh.States)
        {
            if (room <= 0) break;
            var market = find(state.Market.Ticker);
            // A book that is being synchronized comes whole to everybody when it is right again.
            var message = state.Stream != StreamKind.OrderBook ? market?.LastTicker
                : market?.State == BookState.Live ? market.Snapshot(_snapshots, time) : null;
            room -= message?.Length ?? 0;
            states.Add((state, message == null ? null : WebSocketFrame.Text(message)));
        }

        log.Append(new Refreshed(refresh.Client, states));
    }

    // Until somebody wants compressed frames there are none.
    private void Prepare(GatewayClient client)
    {
        if (client.Output.Form == FrameForm.Deflated) log.Deflate();
    }
}
