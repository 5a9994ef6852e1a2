using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Rest;

/// <summary>A page of orders, newest first, and the cursor to the next; empty on the last.</summary>
internal sealed record OrderPage(IReadOnlyList<OrderView> Orders, string Cursor);

/// <summary>The query of <c>GET /portfolio/orders</c>, read and checked.</summary>
/// <param name="Filter">What the exchange selects by.</param>
/// <param name="EventTickers">Orders on markets of these events; null for any.</param>
/// <param name="Created">When they were placed.</param>
/// <param name="Limit">The size of a page.</param>
/// <param name="Before">Continues after this order.</param>
internal sealed record OrderQuery(
    OrderFilter Filter, IReadOnlyList<string>? EventTickers, TimeInterval Created, int Limit, Guid? Before)
{
    private const int DefaultLimit = 100, MaxLimit = 1000, MaxEvents = 10;

    /// <exception cref="BadRequestException">A parameter is wrong.</exception>
    public static OrderQuery Parse(RestQuery query, string customer)
    {
        var events = query.List("event_ticker");
        if (events?.Count > MaxEvents) throw new BadRequestException($"event_ticker must be at most {MaxEvents} tickers, not {events.Count}");
        return new OrderQuery(
            new OrderFilter(customer, query.Text("ticker"), StatusOf(query)),
            events,
            query.Interval("min_ts", "max_ts"),
            query.Limit(DefaultLimit, MaxLimit),
            query.IdCursor());
    }

    public async Task<OrderPage> ReadAsync(IExchange exchange, CancellationToken cancellationToken)
    {
        var markets = EventTickers is null ? null : await MarketsOfAsync(exchange, EventTickers, cancellationToken);
        var found = new List<OrderView>();
        var before = Before;
        IReadOnlyList<OrderView> orders;
        do
        {
            orders = await exchange.ListOrdersAsync(Filter, before, MaxLimit, cancellationToken);
            found.AddRange(orders.Where(order => Created.Contains(order.CreatedTime) && markets?.Contains(order.Request.Ticker) != false));
            if (orders.Count > 0) before = orders[^1].Id;
        }
        while (orders.Count == MaxLimit && found.Count <= Limit);

        return found.Count <= Limit
            ? new OrderPage(found, "")
            : new OrderPage(found[..Limit], RestQuery.CursorAfter(found[Limit - 1].Id.ToString()));
    }

    private static async Task<IReadOnlySet<string>> MarketsOfAsync(
        IExchange exchange, IReadOnlyList<string> eventTickers, CancellationToken cancellationToken)
    {
        var tickers = new HashSet<string>(StringComparer.Ordinal);
        foreach (string ticker in eventTickers)
        {
            foreach (var found in await EventView.ListAsync(exchange, new MarketFilter { EventTicker = ticker }, cancellationToken))
                tickers.UnionWith(found.Markets.Select(market => market.Definition.Ticker));
        }

        return tickers;
    }

    private static OrderStatus? StatusOf(RestQuery query) => query.Text("status") switch
    {
        null => null,
        "resting" => OrderStatus.Resting,
        "canceled" => OrderStatus.Canceled,
        "executed" => OrderStatus.Executed,
        var other => throw new BadRequestException($"status must be one of resting, canceled, executed, not {other}"),
    };
}
