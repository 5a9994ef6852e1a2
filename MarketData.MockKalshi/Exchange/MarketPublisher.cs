using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// Sends what happens on the simulated exchange to whoever subscribed. Runs in the exchange's loop, so a snapshot is exact at its
/// place between the deltas. A client whose buffer is full loses the subscription with error 25.
/// </summary>
internal sealed class MarketPublisher(MarketBoard board, MockKalshiMetrics metrics, TimeProvider timeProvider) : IMarketFeed
{
    private readonly List<Subscription> _everyTicker = [], _everyTrade = [], _lifecycle = [];
    private readonly FrameText _text = new(), _yesPriceText = new();

    public void Start(Subscription subscription, IReadOnlyList<string>? tickers, bool initialTickers)
    {
        if (tickers is null)
        {
            SubscriptionsToAll(subscription.Channel)?.Add(subscription);
            if (!initialTickers) return;
            foreach (var market in board.All) SendTicker(subscription, market);
            return;
        }

        foreach (string ticker in tickers)
        {
            if (subscription.Channel == FeedChannel.OrderbookDelta) SendSnapshot(subscription, ticker, commandId: null);
            if (board.Find(ticker) is not { } market) continue;
            Subscriptions(market, subscription.Channel)?.Add(subscription);
            if (initialTickers) SendTicker(subscription, market);
        }
    }

    public void Stop(Subscription subscription, IReadOnlyList<string>? tickers)
    {
        if (tickers is null)
        {
            SubscriptionsToAll(subscription.Channel)?.Remove(subscription);
            return;
        }

        foreach (string ticker in tickers)
        {
            if (board.Find(ticker) is { } market) Subscriptions(market, subscription.Channel)?.Remove(subscription);
        }
    }

    public void SendSnapshot(Subscription subscription, string ticker, long? commandId)
    {
        var market = board.Find(ticker);
        var message = MarketMessages.Snapshot(_text, ticker, market?.Definition.MarketId, market?.Book, subscription.UseYesPrice);
        subscription.Session.Send(subscription, "orderbook_snapshot", message, commandId);
    }

    public string? FindTicker(Guid marketId) => board.Find(marketId)?.Definition.Ticker;

    /// <summary>A session ends: none of its subscriptions stays behind.</summary>
    public void Leave(Session session)
    {
        foreach (var subscription in session.Subscriptions)
            Stop(subscription, subscription.Tickers is { } tickers ? [.. tickers] : null);
        session.Leave(this);
    }

    public void PublishChange(SimulatedMarket market, BookChange change, DateTimeOffset time)
    {
        var subscriptions = market.BookSubscriptions;
        if (subscriptions.Count == 0) return;
        var message = MarketMessages.Delta(_text, market.Definition, change, time, yesPrice: false);
        var yesPriceMessage = MarketMessages.Delta(_yesPriceText, market.Definition, change, time, yesPrice: true);
        // Backwards, because a subscription that overflows leaves the list.
        for (int i = subscriptions.Count - 1; i >= 0; i--)
            Deliver(subscriptions[i], "orderbook_delta", subscriptions[i].UseYesPrice ? yesPriceMessage : message);
    }

    public void PublishTrade(SimulatedMarket market, in TradePrint trade, DateTimeOffset time)
    {
        var message = MarketMessages.Trade(_text, market.Definition, trade, time);
        Deliver(market.TradeSubscriptions, "trade", message);
        Deliver(_everyTrade, "trade", message);
    }

    public void PublishTicker(SimulatedMarket market, DateTimeOffset time)
    {
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
            Deliver(subscription, "orderbook_snapshot", message);
        }
    }

    public void PublishLifecycle(Func<FrameText, ReadOnlySpan<byte>> compose, string type = "market_lifecycle_v2") =>
        Deliver(_lifecycle, type, compose(_text));

    private void SendTicker(Subscription subscription, SimulatedMarket market)
    {
        var message = MarketMessages.Ticker(_text, market.Definition, market.Quotes, timeProvider.GetUtcNow());
        subscription.Session.Send(subscription, "ticker", message);
    }

    private void Deliver(List<Subscription> subscriptions, string type, ReadOnlySpan<byte> message)
    {
        for (int i = subscriptions.Count - 1; i >= 0; i--) Deliver(subscriptions[i], type, message);
    }

    private void Deliver(Subscription subscription, string type, ReadOnlySpan<byte> message)
    {
        if (subscription.Session.TrySend(subscription, type, message)) return;
        metrics.SubscriptionOverflowed();
        subscription.Session.Fail(subscription, ErrorCode.BufferOverflow, this);
    }

    private List<Subscription>? SubscriptionsToAll(FeedChannel channel) =>
        channel == FeedChannel.Ticker ? _everyTicker
        : channel == FeedChannel.Trade ? _everyTrade
        : channel == FeedChannel.Lifecycle ? _lifecycle
        // Private channels: nobody trades here yet.
        : null;

    private static List<Subscription>? Subscriptions(SimulatedMarket market, FeedChannel channel) =>
        channel == FeedChannel.OrderbookDelta ? market.BookSubscriptions
        : channel == FeedChannel.Ticker ? market.TickerSubscriptions
        : channel == FeedChannel.Trade ? market.TradeSubscriptions
        : null;
}
