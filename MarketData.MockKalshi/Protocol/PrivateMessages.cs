using MarketData.Domain.Books;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Exchange.Matching;

namespace MarketData.MockKalshi.Protocol;

/// <summary>Composes the <c>msg</c> of frames that only one customer gets (protocol reference, sections 1.7 and 1.8). Fees are zero.</summary>
internal static class PrivateMessages
{
    /// <param name="text">Where the message goes.</param>
    /// <param name="order">The customer's order, with the fill.</param>
    /// <param name="print">The trade.</param>
    /// <param name="isTaker">The order caused the trade.</param>
    /// <param name="position">What the customer holds after it: YES contracts, NO contracts when negative.</param>
    /// <param name="time">Exchange time.</param>
    public static ReadOnlySpan<byte> Fill(
        FrameText text, CustomerOrder order, in TradePrint print, bool isTaker, long position, DateTimeOffset time)
    {
        text.Clear()
            .Raw("{\"trade_id\":"u8).Uuid(print.Id)
            .Raw(",\"order_id\":"u8).Uuid(order.Id)
            .Raw(",\"market_ticker\":"u8).String(order.Request.Ticker)
            .Raw(isTaker ? ",\"is_taker\":true,\"side\":"u8 : ",\"is_taker\":false,\"side\":"u8).Outcome(order.Request.Outcome)
            .Raw(",\"yes_price_dollars\":"u8).Price(print.YesPrice)
            .Raw(",\"no_price_dollars\":"u8).Price(FixedPoint.PriceScale - print.YesPrice)
            .Raw(",\"count_fp\":"u8).Count(print.Count)
            .Raw(",\"fee_cost\":\"0.0000\",\"action\":"u8).Action(order.Request.Action)
            .Raw(",\"ts\":"u8).Number(time.ToUnixTimeSeconds())
            .Raw(",\"ts_ms\":"u8).Number(time.ToUnixTimeMilliseconds());
        if (order.ClientOrderId is { } clientOrderId) text.Raw(",\"client_order_id\":"u8).String(clientOrderId);
        return text.Raw(",\"post_position_fp\":"u8).Count(position)
            .Raw(",\"purchased_side\":"u8).Outcome(order.Side)
            .Raw(",\"outcome_side\":"u8).Outcome(order.Side)
            .Raw(",\"book_side\":"u8).BookSide(order.Side)
            .Raw((byte)'}').Written;
    }

    public static ReadOnlySpan<byte> Order(FrameText text, CustomerOrder order)
    {
        var request = order.Request;
        int yesPrice = request.Outcome == Side.Yes ? request.Price : FixedPoint.PriceScale - request.Price;
        text.Clear()
            .Raw("{\"order_id\":"u8).Uuid(order.Id)
            .Raw(",\"user_id\":"u8).String(order.Customer)
            .Raw(",\"ticker\":"u8).String(request.Ticker)
            .Raw(",\"market_ticker\":"u8).String(request.Ticker)
            .Raw(",\"status\":"u8).Raw(StatusWord(order.Status))
            .Raw(",\"side\":"u8).Outcome(request.Outcome)
            .Raw(order.Side == Side.Yes ? ",\"is_yes\":true"u8 : ",\"is_yes\":false"u8)
            .Raw(",\"action\":"u8).Action(request.Action)
            .Raw(",\"outcome_side\":"u8).Outcome(order.Side)
            .Raw(",\"book_side\":"u8).BookSide(order.Side)
            .Raw(",\"yes_price_dollars\":"u8).Price(yesPrice)
            .Raw(",\"initial_count_fp\":"u8).Count(request.Count)
            .Raw(",\"fill_count_fp\":"u8).Count(order.FilledCount)
            .Raw(",\"remaining_count_fp\":"u8).Count(order.RestingCount)
            .Raw(",\"taker_fill_cost_dollars\":"u8).Money(order.TakerCost)
            .Raw(",\"maker_fill_cost_dollars\":"u8).Money(order.MakerCost)
            .Raw(",\"taker_fees_dollars\":\"0.000000\",\"maker_fees_dollars\":\"0.000000\""u8);
        if (request.ClientOrderId is { } clientOrderId) text.Raw(",\"client_order_id\":"u8).String(clientOrderId);
        if (request.ExpiresAt is { } expires) text.Raw(",\"expiration_time\":"u8).Time(expires);
        return text.Raw(",\"created_time\":"u8).Time(order.CreatedTime)
            .Raw(",\"last_update_time\":"u8).Time(order.UpdatedTime)
            .Raw(",\"created_ts_ms\":"u8).Number(order.CreatedTime.ToUnixTimeMilliseconds())
            .Raw(",\"last_updated_ts_ms\":"u8).Number(order.UpdatedTime.ToUnixTimeMilliseconds())
            .Raw((byte)'}').Written;
    }

    public static ReadOnlySpan<byte> Position(FrameText text, string customer, string ticker, Position position) => text.Clear()
        .Raw("{\"user_id\":"u8).String(customer)
        .Raw(",\"market_ticker\":"u8).String(ticker)
        .Raw(",\"position_fp\":"u8).Count(position.Net)
        .Raw(",\"position_cost_dollars\":"u8).Money(position.Cost)
        .Raw(",\"realized_pnl_dollars\":"u8).Money(position.RealizedProfit)
        .Raw(",\"fees_paid_dollars\":\"0.000000\",\"position_fee_cost_dollars\":\"0.000000\",\"volume_fp\":"u8).Count(position.Volume)
        .Raw((byte)'}').Written;

    /// <summary>A change of the book that the customer's own order caused: the public message with the order's name.</summary>
    public static ReadOnlySpan<byte> OwnDelta(FrameText text, ReadOnlySpan<byte> delta, string clientOrderId) => text.Clear()
        .Raw(delta[..^1]).Raw(",\"client_order_id\":"u8).String(clientOrderId).Raw((byte)'}').Written;

    private static ReadOnlySpan<byte> StatusWord(OrderStatus status) => status switch
    {
        OrderStatus.Resting => "\"resting\""u8,
        OrderStatus.Canceled => "\"canceled\""u8,
        _ => "\"executed\""u8,
    };

    private static FrameText Outcome(this FrameText text, Side side) => text.Raw(side == Side.Yes ? "\"yes\""u8 : "\"no\""u8);

    private static FrameText BookSide(this FrameText text, Side side) => text.Raw(side == Side.Yes ? "\"bid\""u8 : "\"ask\""u8);

    private static FrameText Action(this FrameText text, OrderAction action) => text.Raw(action == OrderAction.Buy ? "\"buy\""u8 : "\"sell\""u8);

    /// <summary>1/1,000,000 dollar as a JSON string with six decimals.</summary>
    private static FrameText Money(this FrameText text, long amount)
    {
        const long unitsPerDollar = (long)FixedPoint.PriceScale * FixedPoint.CountScale;
        text.Raw(amount < 0 ? "\"-"u8 : "\""u8).Number(Math.Abs(amount / unitsPerDollar)).Raw((byte)'.');
        long fraction = Math.Abs(amount % unitsPerDollar);
        for (long unit = unitsPerDollar / 10; unit > 0; unit /= 10) text.Raw((byte)('0' + fraction / unit % 10));
        return text.Raw((byte)'"');
    }
}
