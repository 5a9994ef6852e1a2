using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// Closes, determines and settles the short-lived markets on time and opens their successors, so that the number of open markets
/// stays. Owned by the exchange's loop.
/// </summary>
internal sealed class MarketLifecycle(
    MarketBoard board, MarketPublisher publisher, MarketCatalog catalog, OrderFlow flow, Random random, TimeSpan life)
{
    private static readonly TimeSpan RepeatedSnapshotAfter = TimeSpan.FromSeconds(0.7);
    private static readonly TimeSpan DeterminedAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SettledAfter = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromHours(1);

    private readonly PriorityQueue<Action<DateTimeOffset>, DateTimeOffset> _due = new();

    /// <summary>A market opened in the place of one that closed.</summary>
    public Action<SimulatedMarket, SimulatedMarket>? Succeeded { get; set; }

    public DateTimeOffset NextDue => _due.TryPeek(out _, out var time) ? time : DateTimeOffset.MaxValue;

    /// <summary>Opens a market at the exchange's start, without messages. Short-lived ones close spread over one life, not all at once.</summary>
    public SimulatedMarket OpenInitial(bool shortLived, DateTimeOffset now)
    {
        var closes = now + life * (0.2 + 0.8 * random.NextDouble());
        return Open(shortLived ? catalog.NextShortLived(now, closes) : catalog.NextLongLived(now), shortLived, now);
    }

    public void Advance(DateTimeOffset now)
    {
        while (_due.TryPeek(out var happens, out var time) && time <= now)
        {
            _due.Dequeue();
            happens(now);
        }
    }

    private SimulatedMarket Open(MarketDefinition definition, bool shortLived, DateTimeOffset now)
    {
        var market = new SimulatedMarket(definition, now);
        flow.Open(market);
        board.Add(market);
        if (shortLived) _due.Enqueue(time => Close(market, time), definition.CloseTime);
        return market;
    }

    private void Close(SimulatedMarket market, DateTimeOffset now)
    {
        market.Close(now);
        publisher.PublishSnapshot(market);
        // More than half of the recorded closes sent the empty book twice (protocol reference, section 1.9).
        if (random.Next(5) < 3) _due.Enqueue(_ => publisher.PublishSnapshot(market), now + RepeatedSnapshotAfter);
        _due.Enqueue(time => Determine(market, time), now + DeterminedAfter);
        _due.Enqueue(time => Settle(market, time), now + SettledAfter);
        _due.Enqueue(_ => board.Remove(market), now + ForgottenAfter);
        Follow(market, now);
    }

    private void Follow(SimulatedMarket closed, DateTimeOffset now)
    {
        var definition = catalog.Successor(closed.Definition, now, now + life);
        var market = Open(definition, shortLived: true, now);
        publisher.PublishLifecycle(text => LifecycleMessages.EventCreated(text, definition), "event_lifecycle");
        publisher.PublishLifecycle(text => LifecycleMessages.Created(text, definition));
        publisher.PublishLifecycle(text => LifecycleMessages.Activated(text, definition));
        Succeeded?.Invoke(closed, market);
    }

    private void Determine(SimulatedMarket market, DateTimeOffset now)
    {
        market.Determine(now);
        publisher.PublishLifecycle(text => LifecycleMessages.Determined(text, market.Definition, market.Result, now));
    }

    private void Settle(SimulatedMarket market, DateTimeOffset now)
    {
        market.Settle(now);
        publisher.PublishLifecycle(text => LifecycleMessages.Settled(text, market.Definition, now));
    }
}
