namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// Sends tickers of markets whose quotes changed, one for all changes since the last: between two of one market at least
/// <see cref="Interval"/> of exchange time passes. Owned by the exchange's loop.
/// </summary>
internal sealed class TickerConflation(MarketPublisher publisher, Timeline timeline)
{
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly List<SimulatedMarket> _due = [];
    private DateTimeOffset _next;

    /// <summary>A best price, its size or the last trade of a market changed.</summary>
    public void Note(SimulatedMarket market)
    {
        if (market.TickerDue) return;
        market.TickerDue = true;
        if (_due.Count == 0) timeline.Schedule(_next, Publish);
        _due.Add(market);
    }

    private void Publish(DateTimeOffset now)
    {
        foreach (var market in _due)
        {
            market.TickerDue = false;
            publisher.PublishTicker(market, now);
        }

        _due.Clear();
        _next = now + Interval;
    }
}
