using MarketData.Domain.Books;
using MarketData.MockKalshi.Exchange.Matching;
using MarketData.MockKalshi.Exchange.Truth;

namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// Takes every order, whoever's it is, to its market's engine and sends what comes of it: each change of the book, each trade, and to
/// customers what concerns their orders. Owned by the exchange's loop.
/// </summary>
internal sealed class TradingFloor(MarketPublisher publisher, TickerConflation tickers, ChangeHistory history, TradeTape tape)
{
    private readonly Execution _execution = new();

    /// <summary>A customer's order was filled, came to rest or left the book.</summary>
    public Action<CustomerOrder, DateTimeOffset>? OrderChanged { get; set; }

    /// <summary>Trades what crosses; what is left rests or is cancelled.</summary>
    public void Place(SimulatedMarket market, Order order, bool mayRest, DateTimeOffset time)
    {
        var before = market.Quotes;
        _execution.Clear();
        market.Engine.Place(order, mayRest, _execution);
        for (int i = 0; i < _execution.Changes.Count; i++)
        {
            Publish(market, _execution.Changes[i], order, time);
            if (i < _execution.Fills.Count) Publish(market, _execution.Fills[i], order, time);
        }

        if (order is CustomerOrder own)
        {
            OrderChanged?.Invoke(own, time);
            if (_execution.Fills.Count > 0) publisher.Private.PublishPosition(market, own.Customer);
        }

        if (market.Quotes != before) tickers.Note(market);
    }

    /// <summary>Takes back what rests of an order; returns after it has been sent.</summary>
    public void Cancel(SimulatedMarket market, Order order, DateTimeOffset time)
    {
        var before = market.Quotes;
        _execution.Clear();
        market.Engine.Cancel(order, _execution);
        Publish(market, _execution.Changes[0], order, time);
        if (order is CustomerOrder own) OrderChanged?.Invoke(own, time);
        if (market.Quotes != before) tickers.Note(market);
    }

    /// <summary>Cancels everything that rests: subscribers learn it from one empty snapshot, not from the changes.</summary>
    public void Empty(SimulatedMarket market, DateTimeOffset time)
    {
        foreach (var side in new[] { Side.Yes, Side.No })
        {
            while (market.Book.Levels(side) is [.., var best])
            {
                var order = market.Engine.FirstAt(side, best.Price)!;
                _execution.Clear();
                market.Engine.Cancel(order, _execution);
                market.LastChange = history.Add(_execution.Changes[0], market.LastChange);
                if (order is CustomerOrder own) OrderChanged?.Invoke(own, time);
            }
        }

        publisher.PublishSnapshot(market);
    }

    private void Publish(SimulatedMarket market, in BookChange change, Order cause, DateTimeOffset time)
    {
        market.LastChange = history.Add(change, market.LastChange);
        publisher.PublishChange(market, change, cause, time);
    }

    private void Publish(SimulatedMarket market, in Fill fill, Order taker, DateTimeOffset time)
    {
        market.Record(fill.Print, taker.Customer, fill.Resting.Customer);
        tape.Add(new TradeView(market.Definition.Ticker, fill.Print, time));
        publisher.PublishTrade(market, fill.Print, time);
        if (taker is CustomerOrder own)
        {
            own.RecordFill(fill.Print, isTaker: true);
            publisher.Private.PublishFill(own, fill.Print, isTaker: true, time);
        }

        if (fill.Resting is CustomerOrder resting)
        {
            resting.RecordFill(fill.Print, isTaker: false);
            publisher.Private.PublishFill(resting, fill.Print, isTaker: false, time);
            OrderChanged?.Invoke(resting, time);
            publisher.Private.PublishPosition(market, resting.Customer);
        }
    }
}
