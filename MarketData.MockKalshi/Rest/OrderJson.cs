using System.Text.Json;
using MarketData.Domain.Books;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Rest;

/// <summary>Writes orders with the fields of the exchange.</summary>
internal static class OrderJson
{
    public static void WriteOrder(Utf8JsonWriter json, OrderView order)
    {
        var request = order.Request;
        // Selling one outcome is bidding for the other.
        bool forYes = request.Outcome == Side.Yes == (request.Action == OrderAction.Buy);
        int yesPrice = request.Outcome == Side.Yes ? request.Price : FixedPoint.PriceScale - request.Price;
        json.WriteStartObject();
        json.WriteString("action", request.Action == OrderAction.Buy ? "buy" : "sell");
        json.WriteString("book_side", forYes ? "bid" : "ask");
        json.WriteBoolean("cancel_order_on_pause", false);
        json.WriteString("client_order_id", request.ClientOrderId ?? "");
        json.WriteTime("created_time", order.CreatedTime);
        json.WriteNumber("exchange_index", 0);
        if (request.ExpiresAt is { } expires) json.WriteTime("expiration_time", expires);
        else json.WriteNull("expiration_time");
        json.WriteCount("fill_count_fp", order.FilledCount);
        json.WriteCount("initial_count_fp", request.Count);
        json.WriteTime("last_update_time", order.UpdatedTime);
        json.WriteMoney("maker_fees_dollars", 0);
        json.WriteMoney("maker_fill_cost_dollars", order.MakerCost);
        json.WritePrice("no_price_dollars", FixedPoint.PriceScale - yesPrice);
        json.WriteNull("order_group_id");
        json.WriteString("order_id", order.Id);
        json.WriteString("outcome_side", forYes ? "yes" : "no");
        json.WriteCount("remaining_count_fp", order.RemainingCount);
        json.WriteString("side", request.Outcome == Side.Yes ? "yes" : "no");
        json.WriteString("status", StatusWord(order.Status));
        json.WriteNumber("subaccount_number", 0);
        json.WriteMoney("taker_fees_dollars", 0);
        json.WriteMoney("taker_fill_cost_dollars", order.FilledCost - order.MakerCost);
        json.WriteString("ticker", request.Ticker);
        json.WriteString("type", "limit");
        json.WriteString("user_id", order.Customer);
        json.WritePrice("yes_price_dollars", yesPrice);
        json.WriteEndObject();
    }

    /// <summary>What <c>POST /portfolio/events/orders</c> answers.</summary>
    public static void WritePlaced(Utf8JsonWriter json, OrderView order)
    {
        json.WriteStartObject();
        if (order.FilledCount > 0)
        {
            json.WriteMoney("average_fee_paid", 0);
            json.WriteMoney("average_fill_price", order.FilledCost * FixedPoint.CountScale / order.FilledCount);
        }

        if (order.Request.ClientOrderId is { } name) json.WriteString("client_order_id", name);
        json.WriteCount("fill_count", order.FilledCount);
        json.WriteString("order_id", order.Id);
        json.WriteCount("remaining_count", order.RemainingCount);
        json.WriteNumber("ts_ms", order.UpdatedTime.ToUnixTimeMilliseconds());
        json.WriteEndObject();
    }

    /// <summary>What <c>DELETE /portfolio/events/orders/{order_id}</c> answers.</summary>
    public static void WriteCanceled(Utf8JsonWriter json, OrderView order)
    {
        json.WriteStartObject();
        if (order.Request.ClientOrderId is { } name) json.WriteString("client_order_id", name);
        json.WriteString("order_id", order.Id);
        json.WriteCount("reduced_by", CanceledCount(order));
        json.WriteNumber("ts_ms", order.UpdatedTime.ToUnixTimeMilliseconds());
        json.WriteEndObject();
    }

    /// <summary>What a cancellation took back, 1/100 contract.</summary>
    public static long CanceledCount(OrderView order) => order.Request.Count - order.FilledCount;

    private static string StatusWord(OrderStatus status) => status switch
    {
        OrderStatus.Resting => "resting",
        OrderStatus.Canceled => "canceled",
        _ => "executed",
    };
}
