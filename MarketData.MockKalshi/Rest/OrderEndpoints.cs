using System.Text.Json;
using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Rest;

/// <summary>A customer's orders. Two forms of placing and cancelling stand side by side, as the exchange has them.</summary>
internal static class OrderEndpoints
{
    private delegate void OrderWriter(Utf8JsonWriter json, OrderView order);

    public static void MapOrders(this IEndpointRouteBuilder portfolio)
    {
        portfolio.MapPost("/orders", (HttpContext context, IExchange exchange) =>
            PlaceAsync(context, exchange, OrderForm.OfOutcome, WriteWrapped));
        portfolio.MapPost("/events/orders", (HttpContext context, IExchange exchange) =>
            PlaceAsync(context, exchange, OrderForm.OfBookSide, OrderJson.WritePlaced));
        portfolio.MapDelete("/orders/{id}", (HttpContext context, IExchange exchange, string id) =>
            CancelAsync(context, exchange, id, WriteWrappedCanceled));
        portfolio.MapDelete("/events/orders/{id}", (HttpContext context, IExchange exchange, string id) =>
            CancelAsync(context, exchange, id, OrderJson.WriteCanceled));
        portfolio.MapGet("/orders", ListAsync);
        portfolio.MapGet("/orders/{id}", GetAsync);
    }

    private static async Task PlaceAsync(HttpContext context, IExchange exchange, Func<JsonBody, OrderForm> read, OrderWriter write)
    {
        var form = read(await JsonBody.ReadAsync(context));
        string ticker = form.Request.Ticker;
        var outcome = await exchange.FindMarketAsync(ticker, context.RequestAborted) is { } market
            ? await exchange.PlaceOrderAsync(Customer.Of(context), form.For(market.Definition.Prices), context.RequestAborted)
            : OrderOutcome.Refused(OrderRefusal.MarketNotFound);
        await AnswerAsync(context, outcome, ticker, StatusCodes.Status201Created, write);
    }

    private static async Task CancelAsync(HttpContext context, IExchange exchange, string id, OrderWriter write)
    {
        RequireMainAccount(new RestQuery(context.Request.Query));
        var outcome = Guid.TryParseExact(id, "D", out var orderId)
            ? await exchange.CancelOrderAsync(Customer.Of(context), orderId, context.RequestAborted)
            : OrderOutcome.Refused(OrderRefusal.OrderNotFound);
        await AnswerAsync(context, outcome, id, StatusCodes.Status200OK, write);
    }

    private static async Task GetAsync(HttpContext context, IExchange exchange, string id)
    {
        var order = Guid.TryParseExact(id, "D", out var orderId)
            ? await exchange.FindOrderAsync(Customer.Of(context), orderId, context.RequestAborted)
            : null;
        var outcome = order is null ? OrderOutcome.Refused(OrderRefusal.OrderNotFound) : new OrderOutcome(order, null);
        await AnswerAsync(context, outcome, id, StatusCodes.Status200OK, WriteWrapped);
    }

    private static async Task ListAsync(HttpContext context, IExchange exchange)
    {
        var query = new RestQuery(context.Request.Query);
        RequireMainAccount(query);
        var orders = OrderQuery.Parse(query, Customer.Of(context));
        var page = await orders.ReadAsync(exchange, context.RequestAborted);

        await using var json = JsonAnswer.Begin(context);
        json.WriteStartObject();
        json.WriteString("cursor", page.Cursor);
        json.WriteStartArray("orders");
        foreach (var order in page.Orders) OrderJson.WriteOrder(json, order);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static async Task AnswerAsync(HttpContext context, OrderOutcome outcome, string subject, int status, OrderWriter write)
    {
        if (outcome.Refusal is { } refusal)
        {
            await OrderError.Of(refusal, subject).WriteAsync(context);
            return;
        }

        await using var json = JsonAnswer.Begin(context, status);
        write(json, outcome.Order!);
    }

    private static void WriteWrapped(Utf8JsonWriter json, OrderView order)
    {
        json.WriteStartObject();
        json.WritePropertyName("order");
        OrderJson.WriteOrder(json, order);
        json.WriteEndObject();
    }

    private static void WriteWrappedCanceled(Utf8JsonWriter json, OrderView order)
    {
        json.WriteStartObject();
        json.WritePropertyName("order");
        OrderJson.WriteOrder(json, order);
        json.WriteCount("reduced_by_fp", OrderJson.CanceledCount(order));
        json.WriteEndObject();
    }

    private static void RequireMainAccount(RestQuery query)
    {
        if (query.Integer("subaccount") is not (null or 0)) throw new BadRequestException("subaccount must be 0: this exchange has no others");
        if (query.Integer("exchange_index") is not (null or 0 or -1)) throw new BadRequestException("exchange_index must be 0 or -1: this exchange has one");
    }
}
