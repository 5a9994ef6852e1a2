using System.Text;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Clients;
using MarketData.Gateway.Fanout;
using MarketData.ServiceDefaults.WebSockets;

namespace MarketData.Gateway.Feed;

/// <summary>Writes the log that the fan-out workers follow. Belongs to the feed's loop.</summary>
public sealed class Delivery(FeedLog log, TimeProvider time)
{
    private readonly SnapshotEnvelope _snapshots = new();

    /// <summary>Largest message that can be delivered, in bytes.</summary>
    public int MaxMessage => log.MaxMessage;

    /// <summary>Gives a message to everybody who wants it, once each.</summary>
    /// <param name="market">Its market.</param>
    /// <param name="channel">Its channel.</param>
    /// <param name="message">The envelope.</param>
    /// <param name="position">Its number.</param>
    /// <param name="receivedAt">When it was received from the exchange, Unix milliseconds; null for one that the gateway has made.</param>
    public void Route(MarketFeed market, MarketChannel channel, byte[] message, StreamPosition position, long? receivedAt = null)
    {
        long entry = log.Append(market.Market, channel, message, receivedAt);
        if (position.Sequence == 0) return;
        var recent = market.Recent(channel.Stream());
        // A snapshot may follow on anything.
        if (channel == MarketChannel.OrderbookSnapshot) recent.Clear();
        recent.Add(position, entry, log, time);
    }

    /// <summary>Gives a live book whole to everybody who wants it.</summary>
    public void RouteSnapshot(MarketFeed market) =>
        Route(market, MarketChannel.OrderbookSnapshot, market.Snapshot(_snapshots, time), market.Last(StreamKind.OrderBook));

    /// <summary>Tells everybody who wants a stream that messages of it are lost.</summary>
    public void RouteGap(MarketFeed market, MarketChannel channel, (long From, long To) missed) =>
        log.Append(market.Market, channel, ClientReply.Gap(Encoding.UTF8.GetString(channel.Utf8Name()), market.Ticker, missed, time.GetUtcNow().ToUnixTimeMilliseconds()));

    /// <summary>Gives an answer to a client.</summary>
    public void Reply(GatewayClient client, byte[] reply) => log.Append(new SendFrame(client, WebSocketFrame.Text(reply)));

    /// <summary>
    /// From here on a client gets a channel of one market. It begins with what the client has missed, as far as that is there, else with
    /// the market's book or what it asked for of the past.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="topic">The channel.</param>
    /// <param name="market">The market.</param>
    /// <param name="request">What it asked for.</param>
    /// <param name="past">Trades from before the gateway followed the market, in order.</param>
    /// <param name="isDeferred">Whether the channel goes on only with <see cref="GoOn"/>.</param>
    public void Add(GatewayClient client, Topic topic, MarketFeed market, RequestedChannel request, IReadOnlyList<PastTrade> past, bool isDeferred = false)
    {
        Prepare(client);
        var stream = topic.Type.Stream();
        bool isBook = stream == StreamKind.OrderBook;
        if (request.Resume is { } point && topic.Type != MarketChannel.OrderbookSnapshot && Missed(market, stream, point) is { } missed)
            Send(client, missed, isBook ? new ConflatedState(market.Market, stream) : null);
        else if (isBook && market.State == BookState.Live)
            log.Append(new SendFrame(client, WebSocketFrame.Text(market.Snapshot(_snapshots, time)), new ConflatedState(market.Market, stream)));
        else if (request.Resume is { } lost && !isBook)
            TellGap(client, topic.Type, market, lost);
        else if (request.History > 0)
            SendPast(client, market.Recent(stream).Last(request.History, log, time), request.History, past);
        if (!isDeferred) GoOn(client, topic);
    }

    /// <summary>From here on a client gets what a channel of one market carries.</summary>
    public void GoOn(GatewayClient client, Topic topic) => log.Append(new AddTopic(client, topic, []));

    /// <summary>Whether the gateway itself has so many of a market's last trades.</summary>
    public bool HasRecent(MarketFeed market, int trades) => market.Recent(StreamKind.Trade).Has(trades, log, time);

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

    // Null when it is not all there. A book goes on only from where it is known to be the same: with the epoch.
    private IReadOnlyList<long>? Missed(MarketFeed market, StreamKind stream, ResumePoint point)
    {
        var last = market.Last(stream);
        bool isBook = stream == StreamKind.OrderBook;
        if (isBook && (market.State != BookState.Live || point.Epoch == null)) return null;
        if (last.Sequence == 0 || point.Sequence > last.Sequence || (point.Epoch is { } epoch && epoch != last.Epoch)) return null;
        return point.Sequence == last.Sequence ? [] : market.Recent(stream).After(point.Sequence, log, time);
    }

    private void TellGap(GatewayClient client, MarketChannel channel, MarketFeed market, ResumePoint point)
    {
        // Of a stream that begins here nothing is known: its numbers tell.
        var last = market.Last(channel.Stream());
        if (last.Sequence <= point.Sequence) return;
        var gap = ClientReply.Gap(Encoding.UTF8.GetString(channel.Utf8Name()), market.Ticker, (point.Sequence + 1, last.Sequence), time.GetUtcNow().ToUnixTimeMilliseconds());
        Reply(client, gap);
    }

    // Of the listed ones those that are older than what the gateway has itself. The frames are copied before anything is appended, since
    // then their places may be overwritten.
    private void SendPast(GatewayClient client, IReadOnlyList<(StreamPosition Position, long Entry)> recent, int count, IReadOnlyList<PastTrade> listed)
    {
        var older = listed.Where(trade => recent.Count == 0 || trade.Position < recent[0].Position).TakeLast(count - recent.Count).ToList();
        if (older.Count + recent.Count == 0) return;
        byte[] frames = [.. older.SelectMany(trade => WebSocketFrame.Text(trade.Envelope)), .. log.Copy([.. recent.Select(message => message.Entry)])];
        log.Append(new SendFrame(client, frames, State: null, older.Count + recent.Count));
    }

    private void Send(GatewayClient client, IReadOnlyList<long> entries, ConflatedState? state)
    {
        if (entries.Count > 0) log.Append(new SendFrame(client, log.Copy(entries), state, entries.Count));
    }

    // Until somebody wants compressed frames there are none.
    private void Prepare(GatewayClient client)
    {
        if (client.Output.Form == FrameForm.Deflated) log.Deflate();
    }
}
