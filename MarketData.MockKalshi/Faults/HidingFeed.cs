using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Faults;

/// <summary>A feed to which hidden markets are unknown: their book is empty and has no market id, and no data follow.</summary>
internal sealed class HidingFeed(IMarketFeed feed, FaultRegistry registry) : IMarketFeed
{
    private readonly FrameText _text = new();

    public void Start(Subscription subscription, IReadOnlyList<string>? tickers, bool initialTickers)
    {
        if (tickers is null)
        {
            feed.Start(subscription, null, initialTickers);
            return;
        }

        string[] hidden = [.. tickers.Where(registry.Hides)];
        if (subscription.Channel == FeedChannel.OrderbookDelta)
        {
            foreach (string ticker in hidden) SendUnknown(subscription, ticker, commandId: null);
        }

        string[] visible = [.. tickers.Except(hidden, StringComparer.Ordinal)];
        if (visible.Length > 0) feed.Start(subscription, visible, initialTickers);
    }

    public void Stop(Subscription subscription, IReadOnlyList<string>? tickers) => feed.Stop(subscription, tickers);

    public void SendSnapshot(Subscription subscription, string ticker, long? commandId)
    {
        if (registry.Hides(ticker)) SendUnknown(subscription, ticker, commandId);
        else feed.SendSnapshot(subscription, ticker, commandId);
    }

    public string? FindTicker(Guid marketId) => feed.FindTicker(marketId) is { } ticker && !registry.Hides(ticker) ? ticker : null;

    private void SendUnknown(Subscription subscription, string ticker, long? commandId)
    {
        var message = MarketMessages.Snapshot(_text, ticker, marketId: null, book: null, subscription.UseYesPrice);
        subscription.Session.Send(subscription, "orderbook_snapshot", message, commandId);
    }
}
