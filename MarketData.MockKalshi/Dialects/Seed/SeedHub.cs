using System.Text;
using MarketData.Domain.Frames;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Dialects.Seed;

/// <summary>
/// Gives all sessions of the seed dialect what happens. It is a session without a connection: it subscribes at the exchange's own feed
/// to the markets that anybody wants, so that each event comes once and gets one number for everybody who hears of it. Owned by the
/// exchange's loop.
/// </summary>
internal sealed class SeedHub : Session
{
    private const string Snapshot = "orderbook_snapshot", Delta = "orderbook_delta", Trade = "trade";

    private delegate ReadOnlySpan<byte> Composition(long seq);

    private readonly Dictionary<string, SeedMarket> _markets = new(StringComparer.Ordinal);
    private readonly FrameComposer _frames = new();
    private readonly Subscription _books, _trades;
    private long _seq;
    private int _lastSid;

    /// <param name="form">How frames look.</param>
    /// <param name="context">Of any connection: limits, counters and clock are the same for all.</param>
    public SeedHub(SeedForm form, SessionContext context)
        : base(context with { Outbound = new OutboundQueue(maxStreamFrames: 0), Faults = null })
    {
        Form = form;
        _books = new Subscription(this, 1, FeedChannel.OrderbookDelta);
        _trades = new Subscription(this, 2, FeedChannel.Trade);
    }

    public SeedForm Form { get; }

    public int NextSid() => ++_lastSid;

    /// <summary>A session begins to listen; everybody who listens to one of the markets gets its snapshot and ticker.</summary>
    public void Join(SeedSession session, IReadOnlyList<string> tickers, IMarketFeed feed)
    {
        foreach (string ticker in tickers)
        {
            if (!_markets.TryGetValue(ticker, out var market))
            {
                _markets.Add(ticker, market = new SeedMarket(ticker));
                feed.Start(_books, [ticker], initialTickers: false);
                feed.Start(_trades, [ticker], initialTickers: false);
            }

            if (!market.Listeners.Contains(session)) market.Listeners.Add(session);
            PublishSnapshot(market, session);
            PublishTicker(market, traded: 0, session);
        }
    }

    /// <summary>A session's subscriptions have become fewer: markets that nobody wants are left.</summary>
    public void Release(SeedSession session, IMarketFeed feed)
    {
        foreach (var market in _markets.Values.ToArray())
        {
            if (!session.Wants(market.Ticker)) market.Listeners.Remove(session);
            if (market.Listeners.Count > 0) continue;
            _markets.Remove(market.Ticker);
            feed.Stop(_books, [market.Ticker]);
            feed.Stop(_trades, [market.Ticker]);
        }
    }

    public override void Send(Subscription subscription, string type, ReadOnlySpan<byte> message, long? commandId = null) =>
        Take(_frames.Data(subscription, type, message, commandId));

    public override bool TrySend(Subscription subscription, string type, ReadOnlySpan<byte> message)
    {
        Take(_frames.Data(subscription, type, message, commandId: null));
        return true;
    }

    private void Take(ReadOnlySpan<byte> text)
    {
        if (!ExchangeFrame.TryParse(text, out var frame, out string? error))
            throw new InvalidOperationException($"the exchange's own frame cannot be read: {error}");
        if (!_markets.TryGetValue(Encoding.UTF8.GetString(frame.Ticker.Of(text)), out var market)) return;
        switch (frame.Type)
        {
            case FrameType.OrderbookSnapshot:
                SnapshotReader.TryRead(text, frame.Levels, market.Book);
                // The first is where listening begins, and the seed's own begins with nothing published; later ones, as at the close,
                // are changes.
                if (market.Listeners.Count > 0) PublishChanges(market);
                else if (!Form.RepeatsBooks) market.TakeChanges();
                break;
            case FrameType.OrderbookDelta when frame.Delta is { } delta:
                market.Book.TryApply(delta.Side, delta.Price, delta.Change);
                PublishChanges(market);
                break;
            case FrameType.Trade:
                PublishTrade(market, SeedTrade.Read(frame.Body.Of(text)));
                break;
        }
    }

    private void PublishChanges(SeedMarket market)
    {
        foreach (var change in market.TakeChanges())
        {
            if (!market.Listeners.Exists(session => session.Wants(Delta, market.Ticker))) continue;
            if (Form.RepeatsBooks && market.IsSnapshotDue()) PublishSnapshot(market);
            else Publish(market, Delta, seq => Form.Delta(seq, market.Ticker, change));
        }
    }

    private void PublishSnapshot(SeedMarket market, SeedSession? joined = null) =>
        Publish(market, Snapshot, seq => Form.Snapshot(seq, market), joined);

    private void PublishTrade(SeedMarket market, SeedTrade trade)
    {
        market.LastPrice = trade.YesPrice;
        market.Volume += trade.Count;
        Publish(market, Trade, seq => Form.Trade(seq, market.Ticker, trade));
        PublishTicker(market, trade.Count);
    }

    private void PublishTicker(SeedMarket market, long traded, SeedSession? joined = null) =>
        Publish(market, Form.TickerChannel, seq => Form.Ticker(seq, market, traded), joined);

    /// <summary>Numbers advance only when somebody listens, and everybody who does gets the same frame.</summary>
    /// <param name="market">The market.</param>
    /// <param name="channel">The channel, and the type of the frame.</param>
    /// <param name="compose">Composes the frame with its number.</param>
    /// <param name="joined">Whose command it answers: that session is not too slow for it.</param>
    private void Publish(SeedMarket market, string channel, Composition compose, SeedSession? joined = null)
    {
        if (!market.Listeners.Exists(session => session.Wants(channel, market.Ticker))) return;
        var frame = compose(++_seq);
        foreach (var session in market.Listeners)
        {
            if (!session.Wants(channel, market.Ticker)) continue;
            if (session == joined) session.SendText(channel, frame);
            else session.Deliver(channel, frame);
        }
    }
}
