using MarketData.MockKalshi.Exchange.Matching;
using MarketData.MockKalshi.Exchange.Truth;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// Sends what happens on the simulated exchange to whoever subscribed. Runs in the exchange's loop, so a snapshot is exact at its
/// place between the deltas. A client whose buffer is full loses the subscription with error 25.
/// </summary>
internal sealed class MarketPublisher : IMarketFeed
{
    private readonly MarketBoard _board;
    private readonly ChangeHistory _history;
    private readonly Timeline _timeline;
    private readonly MockKalshiMetrics _metrics;
    private readonly List<Subscription> _everyTicker = [], _everyTrade = [], _lifecycle = [];
    private readonly FrameText _text = new(), _yesPriceText = new(), _ownText = new();

    public MarketPublisher(MarketBoard board, ChangeHistory history, Timeline timeline, MockKalshiMetrics metrics)
    {
        (_board, _history, _timeline, _metrics) = (board, history, timeline, metrics);
        Private = new PrivatePublisher(Deliver);
    }

    public PrivatePublisher Private { get; }

    public void Start(Subscription subscription, IReadOnlyList<string>? tickers, bool initialTickers)
    {
        if (PrivatePublisher.Carries(subscription.Channel))
        {
            Private.Start(subscription);
            return;
        }

        if (tickers is null)
        {
            SubscriptionsToAll(subscription.Channel)?.Add(subscription);
            if (!initialTickers) return;
            foreach (var market in _board.All) SendTicker(subscription, market);
            return;
        }

        foreach (string ticker in tickers)
        {
            if (subscription.Channel == FeedChannel.OrderbookDelta) SendSnapshot(subscription, ticker, commandId: null);
            if (_board.Find(ticker) is not { } market) continue;
            Subscriptions(market, subscription.Channel)?.Add(subscription);
            if (initialTickers) SendTicker(subscription, market);
        }
    }

    public void Stop(Subscription subscription, IReadOnlyList<string>? tickers)
    {
        if (PrivatePublisher.Carries(subscription.Channel))
        {
            // With some of its markets gone it goes on for the others.
            if (!subscription.Session.Subscriptions.Contains(subscription)) Private.Stop(subscription);
            return;
        }

        if (tickers is null)
        {
            SubscriptionsToAll(subscription.Channel)?.Remove(subscription);
            return;
        }

        foreach (string ticker in tickers)
        {
            if (_board.Find(ticker) is { } market) Subscriptions(market, subscription.Channel)?.Remove(subscription);
        }
    }

    public void SendSnapshot(Subscription subscription, string ticker, long? commandId)
    {
        var market = _board.Find(ticker);
        var message = MarketMessages.Snapshot(_text, ticker, market?.Definition.MarketId, market?.Book, subscription.UseYesPrice);
        subscription.Session.Send(subscription, "orderbook_snapshot", message, commandId);
        subscription.Trail.Add(subscription.LastSeq, _history.Last);
    }

    public string? FindTicker(Guid marketId) => _board.Find(marketId)?.Definition.Ticker;

    /// <summary>A session ends: none of its subscriptions stays behind.</summary>
    public void Leave(Session session)
    {
        foreach (var subscription in session.Subscriptions)
        {
            if (PrivatePublisher.Carries(subscription.Channel)) Private.Stop(subscription);
            else Stop(subscription, subscription.Tickers is { } tickers ? [.. tickers] : null);
        }

        session.Leave(this);
    }

    /// <summary>Sends a change of a book; to sessions of the customer whose order caused it, with that order's name.</summary>
    public void PublishChange(SimulatedMarket market, in BookChange change, Order cause, DateTimeOffset time)
    {
        var subscriptions = market.BookSubscriptions;
        if (subscriptions.Count == 0) return;
        ReadOnlySpan<byte> message = default, yesPriceMessage = default;
        // Backwards, because a subscription that overflows leaves the list.
        for (int i = subscriptions.Count - 1; i >= 0; i--)
        {
            var subscription = subscriptions[i];
            bool yesPrice = subscription.UseYesPrice;
            ref var form = ref yesPrice ? ref yesPriceMessage : ref message;
            if (form.IsEmpty) form = MarketMessages.Delta(yesPrice ? _yesPriceText : _text, market.Definition, change, time, yesPrice);
            bool own = cause.ClientOrderId is not null && subscription.Session.Customer == cause.Customer;
            DeliverBook(subscription, "orderbook_delta", own ? PrivateMessages.OwnDelta(_ownText, form, cause.ClientOrderId!) : form);
        }
    }

    public void PublishTrade(SimulatedMarket market, in TradePrint trade, DateTimeOffset time)
    {
        if (market.TradeSubscriptions.Count + _everyTrade.Count == 0) return;
        var message = MarketMessages.Trade(_text, market.Definition, trade, time);
        Deliver(market.TradeSubscriptions, "trade", message);
        Deliver(_everyTrade, "trade", message);
    }

    public void PublishTicker(SimulatedMarket market, DateTimeOffset time)
    {
        if (market.TickerSubscriptions.Count + _everyTicker.Count == 0) return;
        var message = MarketMessages.Ticker(_text, market.Definition, market.Quotes, time);
        Deliver(market.TickerSubscriptions, "ticker", message);
        Deliver(_everyTicker, "ticker", message);
    }

    /// <summary>An unrequested snapshot, as the exchange sends when a market closes.</summary>
    public void PublishSnapshot(SimulatedMarket market)
    {
        for (int i = market.BookSubscriptions.Count - 1; i >= 0; i--)
        {
            var subscription = market.BookSubscriptions[i];
            var message = MarketMessages.Snapshot(_text, market.Definition.Ticker, market.Definition.MarketId, market.Book, subscription.UseYesPrice);
            DeliverBook(subscription, "orderbook_snapshot", message);
        }
    }

    public void PublishLifecycle(Func<FrameText, ReadOnlySpan<byte>> compose, string type = "market_lifecycle_v2") =>
        Deliver(_lifecycle, type, compose(_text));

    private void SendTicker(Subscription subscription, SimulatedMarket market)
    {
        var message = MarketMessages.Ticker(_text, market.Definition, market.Quotes, _timeline.Now);
        subscription.Session.Send(subscription, "ticker", message);
    }

    /// <summary>Delivers a frame of a book and notes which change of the exchange the stream has come to.</summary>
    private void DeliverBook(Subscription subscription, string type, ReadOnlySpan<byte> message)
    {
        Deliver(subscription, type, message);
        subscription.Trail.Add(subscription.LastSeq, _history.Last);
    }

    private void Deliver(List<Subscription> subscriptions, string type, ReadOnlySpan<byte> message)
    {
        for (int i = subscriptions.Count - 1; i >= 0; i--) Deliver(subscriptions[i], type, message);
    }

    private void Deliver(Subscription subscription, string type, ReadOnlySpan<byte> message)
    {
        if (subscription.Session.TrySend(subscription, type, message)) return;
        _metrics.SubscriptionOverflowed();
        subscription.Session.Fail(subscription, ErrorCode.BufferOverflow, this);
    }

    private List<Subscription>? SubscriptionsToAll(FeedChannel channel) =>
        channel == FeedChannel.Ticker ? _everyTicker
        : channel == FeedChannel.Trade ? _everyTrade
        : channel == FeedChannel.Lifecycle ? _lifecycle
        : null;

    private static List<Subscription>? Subscriptions(SimulatedMarket market, FeedChannel channel) =>
        channel == FeedChannel.OrderbookDelta ? market.BookSubscriptions
        : channel == FeedChannel.Ticker ? market.TickerSubscriptions
        : channel == FeedChannel.Trade ? market.TradeSubscriptions
        : null;
}
