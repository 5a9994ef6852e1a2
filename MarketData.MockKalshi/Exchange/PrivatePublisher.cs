using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// Sends customers what concerns their own orders, on the private channels and to sessions of that customer only. Owned by the
/// exchange's loop.
/// </summary>
/// <param name="deliver">Sends a live frame of a type to a subscription, which it ends when its client reads too slowly.</param>
internal sealed class PrivatePublisher(PrivatePublisher.Delivery deliver)
{
    private static readonly FeedChannel Fills = FeedChannel.Find("fill")!;
    private static readonly FeedChannel Orders = FeedChannel.Find("user_orders")!;
    private static readonly FeedChannel Positions = FeedChannel.Find("market_positions")!;

    private readonly List<Subscription> _subscriptions = [];
    private readonly FrameText _text = new();

    internal delegate void Delivery(Subscription subscription, string type, ReadOnlySpan<byte> message);

    public static bool Carries(FeedChannel channel) => channel == Fills || channel == Orders || channel == Positions;

    public void Start(Subscription subscription)
    {
        if (!_subscriptions.Contains(subscription)) _subscriptions.Add(subscription);
    }

    /// <summary>Nothing of the subscription is left: which of its markets are, it knows itself.</summary>
    public void Stop(Subscription subscription) => _subscriptions.Remove(subscription);

    public void PublishFill(CustomerOrder order, in TradePrint print, bool isTaker, DateTimeOffset time)
    {
        if (_subscriptions.Count == 0) return;
        long position = order.Market.Positions.Of(order.Customer).Net;
        Publish(Fills, "fill", order.Customer, order.Request.Ticker, PrivateMessages.Fill(_text, order, print, isTaker, position, time));
    }

    public void PublishOrder(CustomerOrder order)
    {
        if (_subscriptions.Count == 0) return;
        Publish(Orders, "user_order", order.Customer, order.Request.Ticker, PrivateMessages.Order(_text, order));
    }

    public void PublishPosition(SimulatedMarket market, string customer)
    {
        if (_subscriptions.Count == 0) return;
        string ticker = market.Definition.Ticker;
        Publish(Positions, "market_position", customer, ticker, PrivateMessages.Position(_text, customer, ticker, market.Positions.Of(customer)));
    }

    private void Publish(FeedChannel channel, string type, string customer, string ticker, ReadOnlySpan<byte> message)
    {
        // Backwards, because a subscription that overflows leaves the list.
        for (int i = _subscriptions.Count - 1; i >= 0; i--)
        {
            var subscription = _subscriptions[i];
            bool concerned = subscription.Channel == channel && subscription.Session.Customer == customer
                && subscription.Tickers?.Contains(ticker) != false;
            if (concerned) deliver(subscription, type, message);
        }
    }
}
