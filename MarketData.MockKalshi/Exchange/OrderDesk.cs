using MarketData.Domain.Numbers;

namespace MarketData.MockKalshi.Exchange;

/// <summary>
/// Order entry: checks customers' orders, places them, and remembers them while they rest and some time after. Owned by the exchange's
/// loop.
/// </summary>
internal sealed class OrderDesk
{
    /// <summary>Resting orders of all customers together.</summary>
    public const int MostResting = 100_000;

    /// <summary>Orders remembered after they were executed or cancelled.</summary>
    public const int FinishedHeld = 10_000;

    /// <summary>Contracts in one order: no sum of costs comes near the end of a <see cref="long"/> with it.</summary>
    public const long MostContracts = 10_000_000;

    private readonly MarketBoard _board;
    private readonly TradingFloor _floor;
    private readonly MarketPublisher _publisher;
    private readonly Timeline _timeline;
    private readonly Random _ids;
    private readonly Dictionary<Guid, LinkedListNode<CustomerOrder>> _byId = [];
    private readonly Dictionary<(string Customer, string ClientOrderId), CustomerOrder> _byClientId = [];
    private readonly LinkedList<CustomerOrder> _newestFirst = [];
    private readonly Queue<CustomerOrder> _finished = new();

    public OrderDesk(MarketBoard board, TradingFloor floor, MarketPublisher publisher, Timeline timeline, Random ids)
    {
        (_board, _floor, _publisher, _timeline, _ids) = (board, floor, publisher, timeline, ids);
        floor.OrderChanged = OrderChanged;
    }

    private int Resting => _byId.Count - _finished.Count;

    public OrderOutcome Place(string customer, OrderRequest request)
    {
        if (_board.Find(request.Ticker) is not { } market) return OrderOutcome.Refused(OrderRefusal.MarketNotFound);
        var now = _timeline.Now;
        var order = new CustomerOrder(RandomUuid.Next(_ids), customer, request, market, now);
        if (WhyRefused(order) is { } refusal) return OrderOutcome.Refused(refusal);

        _byId.Add(order.Id, _newestFirst.AddFirst(order));
        if (order.ClientOrderId is { } clientId) _byClientId.Add((customer, clientId), order);
        // What is already past its expiry takes what it can get and does not rest.
        bool mayRest = request.TimeInForce == TimeInForce.GoodTillCanceled && !(request.ExpiresAt <= now);
        _floor.Place(market, order, mayRest, now);
        if (order.Status == OrderStatus.Resting && request.ExpiresAt is { } expires)
            order.Expiry = _timeline.Schedule(expires, time => Expire(order, time));
        return new OrderOutcome(order.View, null);
    }

    public OrderOutcome Cancel(string customer, Guid orderId)
    {
        if (Find(customer, orderId) is not { } order) return OrderOutcome.Refused(OrderRefusal.OrderNotFound);
        if (order.Status != OrderStatus.Resting) return OrderOutcome.Refused(OrderRefusal.OrderNotResting);
        _floor.Cancel(order.Market, order, _timeline.Now);
        return new OrderOutcome(order.View, null);
    }

    public CustomerOrder? Find(string customer, Guid orderId) =>
        _byId.GetValueOrDefault(orderId)?.Value is { } order && order.Customer == customer ? order : null;

    /// <summary>Newest first; with <paramref name="before"/> only older ones, and none when that order is not held.</summary>
    public IReadOnlyList<OrderView> List(OrderFilter filter, Guid? before, int limit)
    {
        var node = before is { } id ? _byId.GetValueOrDefault(id)?.Next : _newestFirst.First;
        var page = new List<OrderView>();
        for (; node is not null && page.Count < limit; node = node.Next)
        {
            var order = node.Value;
            if (filter.Matches(order.Customer, order.Request.Ticker, order.Status)) page.Add(order.View);
        }

        return page;
    }

    private OrderRefusal? WhyRefused(CustomerOrder order)
    {
        var (market, request) = (order.Market, order.Request);
        var engine = market.Engine;
        if (market.Status != MarketStatus.Active) return OrderRefusal.MarketNotOpen;
        if (!market.Definition.Prices.Allows(request.Price)) return OrderRefusal.PriceNotOnTick;
        if (market.Definition.WholeUnits && request.Count % FixedPoint.CountScale != 0) return OrderRefusal.CountNotWhole;
        if (order.ClientOrderId is { } clientId && _byClientId.ContainsKey((order.Customer, clientId))) return OrderRefusal.DuplicateClientOrderId;
        bool withinLimits = request.Count <= MostContracts * FixedPoint.CountScale && Resting < MostResting && engine.CanRest(order);
        if (!withinLimits) return OrderRefusal.LimitExceeded;
        if (request.PostOnly && engine.Crosses(order.Side, order.Price)) return OrderRefusal.PostOnlyWouldTrade;
        bool cannotFill = request.TimeInForce == TimeInForce.FillOrKill && !engine.CanFill(order.Side, order.Price, request.Count);
        return cannotFill ? OrderRefusal.FillOrKillCannotFill : null;
    }

    private void OrderChanged(CustomerOrder order, DateTimeOffset time)
    {
        order.UpdatedTime = time;
        _publisher.Private.PublishOrder(order);
        if (order.Status == OrderStatus.Resting) return;
        if (order.Expiry is { } expiry) _timeline.Cancel(expiry);
        order.Expiry = null;
        _finished.Enqueue(order);
        if (_finished.Count > FinishedHeld) Forget(_finished.Dequeue());
    }

    private void Expire(CustomerOrder order, DateTimeOffset time)
    {
        order.Expiry = null;
        _floor.Cancel(order.Market, order, time);
    }

    private void Forget(CustomerOrder order)
    {
        _byId.Remove(order.Id, out var node);
        _newestFirst.Remove(node!);
        if (order.ClientOrderId is { } clientId) _byClientId.Remove((order.Customer, clientId));
    }
}
