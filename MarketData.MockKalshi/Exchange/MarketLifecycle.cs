using MarketData.MockKalshi.Exchange.Matching;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// Takes every market from its creation to its settlement, with what sometimes happens on the way. Each market's successor is announced
/// before it closes and opens when it closes, so that the number of open markets stays. Owned by the exchange's loop.
/// </summary>
internal sealed class MarketLifecycle(
    MarketBoard board,
    MarketPublisher publisher,
    MarketCatalog catalog,
    OrderFlow flow,
    TradingFloor floor,
    Timeline timeline,
    Random random,
    Func<Guid> nextTradeId,
    TimeSpan shortLife)
{
    private static readonly TimeSpan RepeatedSnapshotAfter = TimeSpan.FromSeconds(0.7);
    private static readonly TimeSpan DeterminedAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SettledAfter = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LongestMemory = TimeSpan.FromHours(1), ShortestMemory = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestNotice = TimeSpan.FromMinutes(5);

    /// <summary>Shorter lives have no room for what happens only sometimes.</summary>
    private static readonly TimeSpan EventfulLife = TimeSpan.FromMinutes(1);

    private const double PauseChance = 0.05, MovedCloseChance = 0.05, FinerTicksChance = 0.03;

    /// <summary>A settled market can still be looked up for this long.</summary>
    private readonly TimeSpan _memory = Longer(ShortestMemory, shortLife * 4 < LongestMemory ? shortLife * 4 : LongestMemory);

    /// <summary>A market opened in the place of one that closed.</summary>
    public Action<SimulatedMarket, SimulatedMarket>? Succeeded { get; set; }

    /// <summary>Opens a market at the exchange's start. Short-lived ones close spread over one life, not all at once.</summary>
    public SimulatedMarket OpenInitial(bool shortLived, DateTimeOffset now)
    {
        var listing = shortLived ? catalog.NextShortLived(WholeSecond(now + shortLife * (0.2 + 0.8 * random.NextDouble()))) : catalog.NextDaily();
        var opened = shortLived ? now : now.AddDays(-1);
        var market = Create(listing, opened, opened);
        if (shortLived) market.Redefine(catalog.SetStrike(listing, market.Definition), now);
        market.Activate(now);
        flow.Open(market, now);
        Plan(market, now);
        return market;
    }

    private SimulatedMarket Create(MarketListing listing, DateTimeOffset now, DateTimeOffset opens)
    {
        var market = new SimulatedMarket(listing, catalog.Define(listing, now, opens), new MatchingEngine(nextTradeId));
        board.Add(market);
        return market;
    }

    /// <summary>Decides at its opening what a market's life will be.</summary>
    private void Plan(SimulatedMarket market, DateTimeOffset now)
    {
        var life = market.Definition.CloseTime - now;
        var closes = market.Definition.CloseTime;
        if (life >= EventfulLife)
        {
            closes += PlanMovedClose(market, now, life);
            PlanUpdates(market, now, life);
        }

        var notice = life / 20 < LongestNotice ? life / 20 : LongestNotice;
        timeline.Schedule(closes - notice, time => Announce(market, opens: closes, time));
    }

    /// <summary>Sometimes the close moves, once half of the life is over; returns by how much.</summary>
    private TimeSpan PlanMovedClose(SimulatedMarket market, DateTimeOffset now, TimeSpan life)
    {
        if (random.NextDouble() >= MovedCloseChance) return TimeSpan.Zero;
        // Whole seconds, as the message tells them.
        var moved = TimeSpan.FromSeconds(Math.Round(life.TotalSeconds * (0.4 * random.NextDouble() - 0.2)));
        timeline.Schedule(now + life * 0.5, time => MoveClose(market, moved, time));
        return moved;
    }

    private void PlanUpdates(SimulatedMarket market, DateTimeOffset now, TimeSpan life)
    {
        if (random.NextDouble() < PauseChance)
        {
            var pauses = now + life * (0.1 + 0.5 * random.NextDouble());
            timeline.Schedule(pauses, time => Deactivate(market, time));
            timeline.Schedule(pauses + life * (0.01 + 0.1 * random.NextDouble()), time => Activate(market, time));
        }

        if (random.NextDouble() < FinerTicksChance && !market.Definition.WholeUnits) timeline.Schedule(now + life * (0.7 * random.NextDouble()), time => RefineTicks(market, time));
    }

    /// <summary>Creates the market that follows, a little before it opens.</summary>
    private void Announce(SimulatedMarket market, DateTimeOffset opens, DateTimeOffset now)
    {
        var listing = catalog.After(market.Listing, opens + shortLife);
        bool newEvent = !board.HasEvent(MarketCatalog.EventTickerOf(listing));
        var successor = Create(listing, now, opens);
        var definition = successor.Definition;
        if (newEvent) publisher.PublishLifecycle(text => LifecycleMessages.EventCreated(text, definition), "event_lifecycle");
        publisher.PublishLifecycle(text => LifecycleMessages.Created(text, definition));
        timeline.Schedule(opens, time => Close(market, successor, time));
    }

    private void Close(SimulatedMarket market, SimulatedMarket successor, DateTimeOffset now)
    {
        market.Close(now);
        floor.Empty(market, now);
        // More than half of the recorded closes sent the empty book twice (protocol reference, section 1.9).
        if (random.Next(5) < 3) timeline.Schedule(now + RepeatedSnapshotAfter, _ => publisher.PublishSnapshot(market));
        timeline.Schedule(now + DeterminedAfter, time => Determine(market, time));
        timeline.Schedule(now + SettledAfter, time => Settle(market, time));

        if (successor.Listing.IsShortLived) SetStrike(successor, now);
        Activate(successor, now);
        flow.Open(successor, now);
        Plan(successor, now);
        Succeeded?.Invoke(market, successor);
    }

    private void Activate(SimulatedMarket market, DateTimeOffset now)
    {
        market.Activate(now);
        publisher.PublishLifecycle(text => LifecycleMessages.Activated(text, market.Definition));
    }

    private void Deactivate(SimulatedMarket market, DateTimeOffset now)
    {
        market.Deactivate(now);
        publisher.PublishLifecycle(text => LifecycleMessages.Deactivated(text, market.Definition));
    }

    private void MoveClose(SimulatedMarket market, TimeSpan moved, DateTimeOffset now)
    {
        market.Redefine(market.Definition with { CloseTime = market.Definition.CloseTime + moved }, now);
        publisher.PublishLifecycle(text => LifecycleMessages.CloseDateUpdated(text, market.Definition));
    }

    private void SetStrike(SimulatedMarket market, DateTimeOffset now)
    {
        market.Redefine(catalog.SetStrike(market.Listing, market.Definition), now);
        publisher.PublishLifecycle(text => LifecycleMessages.MetadataUpdated(text, market.Definition));
    }

    private void RefineTicks(SimulatedMarket market, DateTimeOffset now)
    {
        market.Redefine(market.Definition with { Prices = market.Definition.Prices.Finer() }, now);
        publisher.PublishLifecycle(text => LifecycleMessages.PriceLevelStructureUpdated(text, market.Definition));
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
        timeline.Schedule(now + _memory, _ => board.Remove(market));
    }

    /// <summary>Markets close at whole seconds, as messages and tickers tell them.</summary>
    private static DateTimeOffset WholeSecond(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds() + 1);

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
