using MarketData.Domain.Books;
using MarketData.MockKalshi.Exchange;

namespace MarketData.Tests.Unit.MockKalshi.Exchange;

/// <summary>Orders of customers, on an exchange where nobody else acts.</summary>
public class OrderEntryTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task An_order_rests_trades_when_another_crosses_it_and_is_executed()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var market = await WideMarketAsync(exchange);

        var resting = await PlaceAsync(exchange, "ann", Buy(market, Side.Yes, market.Inside, 10_00));
        var taker = await PlaceAsync(exchange, "ben", new OrderRequest(market.Ticker, OrderAction.Sell, Side.Yes, market.Inside, 4_00));
        var rest = await PlaceAsync(exchange, "ben", Buy(market, Side.No, 10_000 - market.Inside, 6_00));
        var found = await exchange.Exchange.FindOrderAsync("ann", resting.Id, None);

        Assert.Equal((OrderStatus.Resting, 10_00L, 0L), (resting.Status, resting.RemainingCount, resting.FilledCount));
        Assert.Equal((OrderStatus.Executed, 0L, 4_00L, 4_00L * market.Inside), (taker.Status, taker.RemainingCount, taker.FilledCount, taker.FilledCost));
        Assert.Equal((OrderStatus.Executed, 6_00L * (10_000 - market.Inside)), (rest.Status, rest.FilledCost));
        Assert.Equal((OrderStatus.Executed, 10_00L * market.Inside), (found!.Status, found.FilledCost));
        var trades = await exchange.Exchange.ListTradesAsync(new TradeFilter(market.Ticker, default), before: null, limit: 10, None);
        Assert.Equal([(Side.No, market.Inside, 6_00L), (Side.No, market.Inside, 4_00L)], trades.Select(trade => (trade.Print.Taker, trade.Print.YesPrice, trade.Print.Count)));
        Assert.Equal(10_00, (await exchange.Exchange.FindMarketAsync(market.Ticker, None))!.Quotes.OpenInterest);
    }

    [Fact]
    public async Task An_order_that_may_not_rest_takes_what_there_is_and_the_rest_is_cancelled()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var market = await WideMarketAsync(exchange);
        await PlaceAsync(exchange, "ann", Buy(market, Side.Yes, market.Inside, 5_00));

        var order = Buy(market, Side.No, 10_000 - market.Inside, 8_00);
        var fillOrKill = await exchange.Exchange.PlaceOrderAsync("ben", order with { TimeInForce = TimeInForce.FillOrKill }, None);
        var immediate = await PlaceAsync(exchange, "ben", order with { TimeInForce = TimeInForce.ImmediateOrCancel });

        Assert.Equal(OrderRefusal.FillOrKillCannotFill, fillOrKill.Refusal);
        Assert.Equal((OrderStatus.Canceled, 5_00L, 0L), (immediate.Status, immediate.FilledCount, immediate.RemainingCount));
        Assert.Equal(market.Book, await BookAsync(exchange, market.Ticker));
    }

    [Fact]
    public async Task A_fill_or_kill_order_that_can_be_filled_is()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var market = await WideMarketAsync(exchange);
        await PlaceAsync(exchange, "ann", Buy(market, Side.Yes, market.Inside, 5_00));

        var order = await PlaceAsync(exchange, "ben", Buy(market, Side.No, 10_000 - market.Inside, 5_00) with { TimeInForce = TimeInForce.FillOrKill });

        Assert.Equal(OrderStatus.Executed, order.Status);
    }

    [Fact]
    public async Task A_cancelled_order_leaves_the_book_as_it_was()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var market = await WideMarketAsync(exchange);
        var order = await PlaceAsync(exchange, "ann", Buy(market, Side.Yes, market.Inside, 5_00));

        var byAnother = await exchange.Exchange.CancelOrderAsync("ben", order.Id, None);
        var cancelled = await exchange.Exchange.CancelOrderAsync("ann", order.Id, None);
        var again = await exchange.Exchange.CancelOrderAsync("ann", order.Id, None);

        Assert.Equal(OrderRefusal.OrderNotFound, byAnother.Refusal);
        Assert.Equal((OrderStatus.Canceled, 0L), (cancelled.Order!.Status, cancelled.Order.RemainingCount));
        Assert.Equal(OrderRefusal.OrderNotResting, again.Refusal);
        Assert.Equal(market.Book, await BookAsync(exchange, market.Ticker));
    }

    [Fact]
    public async Task An_order_expires_by_exchange_time()
    {
        await using var exchange = await MockExchange.StartStillAsync("--clock-speed", "100", "--Simulation:Start", "2030-01-01T00:00:00Z");
        var market = await WideMarketAsync(exchange);
        var expires = new DateTimeOffset(2030, 1, 1, 0, 5, 0, TimeSpan.Zero);

        var order = await PlaceAsync(exchange, "ann", Buy(market, Side.Yes, market.Inside, 5_00) with { ExpiresAt = expires });
        var late = await PlaceAsync(exchange, "ann", Buy(market, Side.Yes, market.Inside, 5_00) with { ExpiresAt = expires.AddYears(-1) });

        Assert.Equal((OrderStatus.Resting, OrderStatus.Canceled), (order.Status, late.Status));
        OrderView? now = null;
        await Eventually.TrueAsync(
            () => (now = exchange.Exchange.FindOrderAsync("ann", order.Id, None).AsTask().Result)!.Status == OrderStatus.Canceled, () => "the order to expire");
        Assert.Equal(expires, now!.UpdatedTime);
    }

    [Fact]
    public async Task What_cannot_be_taken_is_refused_for_its_reason()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var market = await WideMarketAsync(exchange);
        var good = Buy(market, Side.Yes, market.Inside, 1_00) with { ClientOrderId = "mine" };
        await PlaceAsync(exchange, "ann", good);

        async Task<OrderRefusal?> RefusalAsync(OrderRequest request, string customer = "ann") =>
            (await exchange.Exchange.PlaceOrderAsync(customer, request, None)).Refusal;

        Assert.Equal(OrderRefusal.MarketNotFound, await RefusalAsync(good with { Ticker = "KXNONE" }));
        Assert.Equal(OrderRefusal.PriceNotOnTick, await RefusalAsync(good with { Price = 0 }));
        Assert.Equal(OrderRefusal.PriceNotOnTick, await RefusalAsync(good with { Price = 10_000 }));
        Assert.Equal(OrderRefusal.PriceNotOnTick, await RefusalAsync(good with { Price = 5_555 }));
        Assert.Equal(OrderRefusal.DuplicateClientOrderId, await RefusalAsync(good));
        Assert.Null(await RefusalAsync(good, customer: "ben"));
        Assert.Equal(OrderRefusal.LimitExceeded, await RefusalAsync(good with { ClientOrderId = null, Count = 10_000_000_01 }));
        Assert.Equal(
            OrderRefusal.PostOnlyWouldTrade,
            await RefusalAsync(Buy(market, Side.No, 10_000 - market.Inside, 1_00) with { PostOnly = true }));
    }

    [Fact]
    public async Task A_customers_orders_are_listed_newest_first_and_in_pages()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var market = await WideMarketAsync(exchange);
        var placed = new List<Guid>();
        for (int i = 0; i < 5; i++) placed.Add((await PlaceAsync(exchange, "ann", Buy(market, Side.Yes, market.Inside, 1_00))).Id);
        await PlaceAsync(exchange, "ben", Buy(market, Side.Yes, market.Inside, 1_00));
        await exchange.Exchange.CancelOrderAsync("ann", placed[1], None);

        async Task<IEnumerable<Guid>> ListAsync(OrderFilter filter, Guid? before, int limit) =>
            (await exchange.Exchange.ListOrdersAsync(filter, before, limit, None)).Select(order => order.Id);

        Assert.Equal([placed[4], placed[3]], await ListAsync(new OrderFilter("ann"), null, 2));
        Assert.Equal([placed[2], placed[1], placed[0]], await ListAsync(new OrderFilter("ann"), placed[3], 10));
        Assert.Equal([placed[1]], await ListAsync(new OrderFilter("ann", Status: OrderStatus.Canceled), null, 10));
        Assert.Empty(await ListAsync(new OrderFilter("ann", Ticker: "KXNONE"), null, 10));
        Assert.Empty(await ListAsync(new OrderFilter("ann"), Guid.NewGuid(), 10));
    }

    [Fact]
    public async Task Finished_orders_are_forgotten_in_the_end_and_resting_ones_are_not()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        var market = await WideMarketAsync(exchange);
        var resting = await PlaceAsync(exchange, "ann", Buy(market, Side.Yes, market.Inside, 1_00));
        var request = Buy(market, Side.Yes, market.Inside, 1_00) with { TimeInForce = TimeInForce.ImmediateOrCancel, ClientOrderId = "first" };
        var first = await PlaceAsync(exchange, "ann", request);

        for (int i = 0; i < OrderDesk.FinishedHeld; i++) await PlaceAsync(exchange, "ann", request with { ClientOrderId = null });

        Assert.Null(await exchange.Exchange.FindOrderAsync("ann", first.Id, None));
        Assert.Null((await exchange.Exchange.PlaceOrderAsync("ann", request, None)).Refusal);
        Assert.NotNull(await exchange.Exchange.FindOrderAsync("ann", resting.Id, None));
    }

    /// <summary>A market with room between its best bids.</summary>
    /// <param name="Ticker">Its name.</param>
    /// <param name="Inside">A YES price that neither side's bids reach.</param>
    /// <param name="Book">As it is.</param>
    private sealed record WideMarket(string Ticker, int Inside, string Book);

    private static async Task<WideMarket> WideMarketAsync(MockExchange exchange)
    {
        foreach (string ticker in await exchange.TickersAsync())
        {
            var market = (await exchange.Exchange.FindMarketAsync(ticker, None))!;
            int inside = market.Definition.Prices.Above(market.Quotes.YesBidPrice);
            if (inside < market.Quotes.YesAskPrice) return new WideMarket(ticker, inside, await BookAsync(exchange, ticker));
        }

        throw new InvalidOperationException("no market has room between its best bids");
    }

    private static OrderRequest Buy(WideMarket market, Side outcome, int price, long count) => new(market.Ticker, OrderAction.Buy, outcome, price, count);

    private static async Task<OrderView> PlaceAsync(MockExchange exchange, string customer, OrderRequest request)
    {
        var outcome = await exchange.Exchange.PlaceOrderAsync(customer, request, None);
        Assert.Null(outcome.Refusal);
        return outcome.Order!;
    }

    private static async Task<string> BookAsync(MockExchange exchange, string ticker)
    {
        var book = (await exchange.Exchange.ReadBookAsync(ticker, None))!;
        return $"{string.Join(' ', book.Yes)} | {string.Join(' ', book.No)}";
    }
}
