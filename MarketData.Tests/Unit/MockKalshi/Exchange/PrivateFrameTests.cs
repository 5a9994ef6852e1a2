using MarketData.Domain.Books;
using MarketData.MockKalshi.Exchange;

namespace MarketData.Tests.Unit.MockKalshi.Exchange;

/// <summary>What only the customer learns whose orders it concerns. Sessions here belong to the customer "default".</summary>
public class PrivateFrameTests
{
    private const string Us = "default", SubscribePrivate = """{"id":1,"cmd":"subscribe","params":{"channels":["fill","user_orders","market_positions"]}}""";

    [Fact]
    public async Task A_fill_is_told_with_the_order_and_the_position_after_it()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(SubscribePrivate);
        await client.ReceiveAsync(3);
        string ticker = (await exchange.TickersAsync())[0];
        int bid = (await exchange.Exchange.FindMarketAsync(ticker, CancellationToken.None))!.Quotes.YesBidPrice;

        // Somebody else's YES bid at the best price stands behind those that rest there; ours takes all of the level.
        var placed = await PlaceAsync(exchange, Us, new OrderRequest(ticker, OrderAction.Sell, Side.Yes, bid, 1_00) { ClientOrderId = "our-1" });
        var frames = await client.ReceiveAllSoFarAsync();

        Assert.Equal(["fill", "user_order", "market_position"], frames.Select(frame => frame.Type));
        Assert.All(frames, frame => Assert.Null(frame.Seq));
        var (fill, order, position) = (frames[0].Message, frames[1].Message, frames[2].Message);
        Assert.Equal((placed.Id.ToString(), "our-1", ticker), ((string)fill["order_id"]!, (string)fill["client_order_id"]!, (string)fill["market_ticker"]!));
        Assert.Equal(("1.00", "-1.00", "sell", "yes", "no"), ((string)fill["count_fp"]!, (string)fill["post_position_fp"]!, (string)fill["action"]!, (string)fill["side"]!, (string)fill["purchased_side"]!));
        Assert.True((bool)fill["is_taker"]!);
        Assert.Equal(("executed", "1.00", "0.00"), ((string)order["status"]!, (string)order["fill_count_fp"]!, (string)order["remaining_count_fp"]!));
        Assert.Equal(FormattableString.Invariant($"{(10_000 - bid) / 10_000m:0.000000}"), (string)position["position_cost_dollars"]!);
        Assert.Equal("-1.00", (string)position["position_fp"]!);
    }

    [Fact]
    public async Task An_order_is_told_of_when_it_rests_and_when_it_is_cancelled_and_nobody_elses_is()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(SubscribePrivate);
        await client.ReceiveAsync(3);
        string ticker = (await exchange.TickersAsync())[0];
        var request = new OrderRequest(ticker, OrderAction.Buy, Side.Yes, 100, 2_50);

        var order = await PlaceAsync(exchange, Us, request);
        await PlaceAsync(exchange, "somebody", request);
        await exchange.Exchange.CancelOrderAsync(Us, order.Id, CancellationToken.None);

        var told = (await client.ReceiveAllSoFarAsync()).Select(frame => (frame.Type, (string)frame.Message["status"]!, (string)frame.Message["remaining_count_fp"]!));
        Assert.Equal([("user_order", "resting", "2.50"), ("user_order", "canceled", "0.00")], told);
    }

    [Fact]
    public async Task A_subscription_with_markets_tells_of_these_only_and_none_after_it_ended()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        string[] tickers = await exchange.TickersAsync();
        await client.AskAsync(Subscribe("user_orders", tickers[0], tickers[1]));
        await client.AskAsync(CommandTests.Update(2, "delete_markets", tickers[0]));

        foreach (string ticker in tickers[..3]) await PlaceAsync(exchange, Us, new OrderRequest(ticker, OrderAction.Buy, Side.Yes, 100, 1_00));
        var told = await client.ReceiveAllSoFarAsync();
        await client.AskAsync("""{"id":3,"cmd":"unsubscribe","params":{"sids":[1]}}""");
        await PlaceAsync(exchange, Us, new OrderRequest(tickers[1], OrderAction.Buy, Side.Yes, 100, 1_00));

        Assert.Equal([tickers[1]], told.Select(frame => (string)frame.Message["ticker"]!));
        Assert.Empty(await client.ReceiveAllSoFarAsync());
    }

    [Fact]
    public async Task Changes_of_the_book_name_the_order_to_its_own_customer_only()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        string ticker = (await exchange.TickersAsync())[0];
        await CommandTests.SubscribeToBooksAsync(client, ticker);
        var request = new OrderRequest(ticker, OrderAction.Buy, Side.Yes, 100, 1_00) { ClientOrderId = "a \"b\"" };

        var order = await PlaceAsync(exchange, Us, request);
        await PlaceAsync(exchange, "somebody", request);
        await PlaceAsync(exchange, Us, request with { ClientOrderId = null });
        await exchange.Exchange.CancelOrderAsync(Us, order.Id, CancellationToken.None);

        var frames = await client.ReceiveAllSoFarAsync();
        Assert.Equal(["a \"b\"", null, null, "a \"b\""], frames.Select(frame => (string?)frame.Message["client_order_id"]));
        Assert.Equal(["1.00", "1.00", "1.00", "-1.00"], frames.Select(frame => (string)frame.Message["delta_fp"]!));
    }

    private static string Subscribe(string channel, params string[] tickers) =>
        CommandTests.Subscribe(1, tickers).Replace("orderbook_delta", channel, StringComparison.Ordinal);

    private static async Task<OrderView> PlaceAsync(MockExchange exchange, string customer, OrderRequest request)
    {
        var outcome = await exchange.Exchange.PlaceOrderAsync(customer, request, CancellationToken.None);
        Assert.Null(outcome.Refusal);
        return outcome.Order!;
    }
}
