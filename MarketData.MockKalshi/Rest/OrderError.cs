using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Rest;

/// <summary>The answer to each way in which the exchange refuses an order or a cancellation.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">Error code of the body.</param>
/// <param name="Message">Error message of the body.</param>
/// <param name="Details">The exchange's words for what the code leaves open; null where it has none.</param>
internal sealed record OrderError(int Status, string Code, string Message, string? Details = null)
{
    /// <param name="refusal">Why.</param>
    /// <param name="subject">The order's market, or for a cancellation the order's id.</param>
    public static OrderError Of(OrderRefusal refusal, string subject) => refusal switch
    {
        OrderRefusal.NoOrderEntry => new(
            StatusCodes.Status409Conflict, "order_entry_unavailable", "a recording is played: its books are what they were, so that it takes no orders"),
        OrderRefusal.MarketNotFound => new(StatusCodes.Status404NotFound, "not_found", $"market not found: {subject}"),
        OrderRefusal.MarketNotOpen => new(StatusCodes.Status409Conflict, "market_closed", $"market is not open: {subject}"),
        OrderRefusal.PriceNotOnTick => new(
            StatusCodes.Status400BadRequest, "invalid_price", $"the price is not on a tick of {subject}: its price_ranges say which are"),
        OrderRefusal.CountNotWhole => new(
            StatusCodes.Status400BadRequest, "invalid_order", $"the count must be of whole contracts: {subject} trades nothing finer"),
        OrderRefusal.PostOnlyWouldTrade => new(StatusCodes.Status400BadRequest, "invalid_order", "invalid order", "post only cross"),
        OrderRefusal.FillOrKillCannotFill => new(
            StatusCodes.Status409Conflict, "fill_or_kill_insufficient_resting_volume", "fill or kill insufficient resting volume"),
        OrderRefusal.DuplicateClientOrderId => new(
            StatusCodes.Status409Conflict, "order_already_exists", "an order with this client_order_id exists already"),
        OrderRefusal.OrderNotFound => new(StatusCodes.Status404NotFound, "not_found", $"order not found: {subject}"),
        OrderRefusal.OrderNotResting => new(StatusCodes.Status404NotFound, "not_found", $"order is no longer resting: {subject}"),
        OrderRefusal.LimitExceeded => new(
            StatusCodes.Status400BadRequest, "limit_exceeded", "more resting orders, or more contracts in one order or at one price, than this exchange takes"),
        _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, null),
    };

    public Task WriteAsync(HttpContext context) => RestError.WriteAsync(context, Status, Code, Message, Details);
}
