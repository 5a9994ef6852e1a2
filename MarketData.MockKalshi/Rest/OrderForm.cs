using MarketData.Domain.Books;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Rest;

/// <summary>
/// The two forms in which an order comes: <c>POST /portfolio/orders</c> (side yes or no, action buy or sell) and its successor
/// <c>POST /portfolio/events/orders</c> (side bid or ask in YES prices). Whatever would change what the order does and is not offered here
/// is refused, not ignored.
/// </summary>
/// <param name="Request">Without a price when <see cref="AtAnyPrice"/>.</param>
/// <param name="AtAnyPrice">A market order that names no price: the market's last tick is its limit.</param>
internal sealed record OrderForm(OrderRequest Request, bool AtAnyPrice)
{
    /// <summary>Keeps price times count far inside 64 bits.</summary>
    private const long MaxContracts = 10_000_000;

    private const int Cent = FixedPoint.PriceScale / 100, MaxClientOrderIdLength = 128;

    private enum OrderType
    {
        Limit,
        Market,
    }

    /// <exception cref="BadRequestException">A field is missing, wrong, not offered or contradicts another.</exception>
    public static OrderForm OfOutcome(JsonBody body)
    {
        var outcome = body.OneOf("side", ("yes", Side.Yes), ("no", Side.No)) ?? throw JsonBody.Missing("side");
        var action = body.OneOf("action", ("buy", OrderAction.Buy), ("sell", OrderAction.Sell)) ?? throw JsonBody.Missing("action");
        bool isMarket = body.OneOf("type", ("limit", OrderType.Limit), ("market", OrderType.Market)) == OrderType.Market;
        int? price = PriceOf(body, outcome);
        if (price is null && !isMarket)
            throw new BadRequestException("one of yes_price, no_price, yes_price_dollars, no_price_dollars is required", BadRequestException.Missing);
        RefuseWhatIsNotOffered(body, "buy_max_cost", "sell_position_floor");
        body.OneOf("self_trade_prevention_type", SelfTradePrevention);

        var timeInForce = TimeInForceOf(body);
        if (isMarket && timeInForce == TimeInForce.GoodTillCanceled)
            throw new BadRequestException("time_in_force must be immediate_or_cancel or fill_or_kill when type is market: it does not rest");
        var request = new OrderRequest(TickerOf(body), action, outcome, price ?? 0, CountOf(body, "count_fp", body.Integer("count")));
        return new OrderForm(
            WithTerms(request, body, timeInForce ?? (isMarket ? TimeInForce.ImmediateOrCancel : TimeInForce.GoodTillCanceled), "expiration_ts"),
            AtAnyPrice: price is null);
    }

    /// <exception cref="BadRequestException">A field is missing, wrong, not offered or contradicts another.</exception>
    public static OrderForm OfBookSide(JsonBody body)
    {
        var action = body.OneOf("side", ("bid", OrderAction.Buy), ("ask", OrderAction.Sell)) ?? throw JsonBody.Missing("side");
        int price = body.Dollars("price") ?? throw JsonBody.Missing("price");
        var timeInForce = TimeInForceOf(body) ?? throw JsonBody.Missing("time_in_force");
        if (body.OneOf("self_trade_prevention_type", SelfTradePrevention) is null) throw JsonBody.Missing("self_trade_prevention_type");
        RefuseWhatIsNotOffered(body);

        var request = new OrderRequest(TickerOf(body), action, Side.Yes, price, CountOf(body, "count", whole: null));
        return new OrderForm(WithTerms(request, body, timeInForce, "expiration_time"), AtAnyPrice: false);
    }

    /// <summary>The request with its limit: the tick farthest from the customer's interest when any price will do.</summary>
    public OrderRequest For(PriceStructure prices)
    {
        if (!AtAnyPrice) return Request;
        return Request with { Price = Request.Action == OrderAction.Buy ? prices.Below(FixedPoint.PriceScale) : prices.Above(0) };
    }

    private static ReadOnlySpan<(string Word, bool Value)> SelfTradePrevention => new[] { ("taker_at_cross", true), ("maker", true) };

    private static string TickerOf(JsonBody body) => body.Text("ticker") ?? throw JsonBody.Missing("ticker");

    private static TimeInForce? TimeInForceOf(JsonBody body) => body.OneOf(
        "time_in_force",
        ("good_till_canceled", TimeInForce.GoodTillCanceled),
        ("immediate_or_cancel", TimeInForce.ImmediateOrCancel),
        ("fill_or_kill", TimeInForce.FillOrKill));

    /// <summary>The price of the order's own outcome, from whichever of the four fields names it; null without any.</summary>
    private static int? PriceOf(JsonBody body, Side outcome)
    {
        int? yes = PriceOf(body, "yes_price"), no = PriceOf(body, "no_price");
        if (yes is not null && no is not null) throw new BadRequestException("yes_price and no_price exclude each other, in cents and in dollars");
        if ((outcome == Side.Yes ? yes : no) is { } own) return own;
        return FixedPoint.PriceScale - (yes ?? no);
    }

    private static int? PriceOf(JsonBody body, string name)
    {
        int? dollars = body.Dollars($"{name}_dollars");
        if (body.Integer(name) is not { } cents) return dollars;
        if (cents is < 1 or > 99) throw new BadRequestException($"{name} must be between 1 and 99 cents, not {cents}");
        int price = (int)cents * Cent;
        return dollars is null || dollars == price ? price : throw new BadRequestException($"{name} and {name}_dollars must be the same price");
    }

    private static long CountOf(JsonBody body, string name, long? whole)
    {
        if (whole is < 1 or > MaxContracts) throw new BadRequestException($"count must be between 1 and {MaxContracts} contracts, not {whole}");
        long? count = body.Count(name);
        if (count is < 1 or > MaxContracts * FixedPoint.CountScale)
            throw new BadRequestException($"{name} must be between 0.01 and {MaxContracts} contracts");
        if (count is not null && whole is not null && count != whole * FixedPoint.CountScale)
            throw new BadRequestException($"count and {name} must be the same number of contracts");
        return count ?? whole * FixedPoint.CountScale ?? throw new BadRequestException("count is required", BadRequestException.Missing);
    }

    private static OrderRequest WithTerms(OrderRequest request, JsonBody body, TimeInForce timeInForce, string expiration)
    {
        bool rests = timeInForce == TimeInForce.GoodTillCanceled, postOnly = body.Flag("post_only") ?? false;
        if (postOnly && !rests) throw new BadRequestException("post_only needs time_in_force good_till_canceled: the order could neither trade nor rest");
        var expiresAt = ExpirationOf(body, expiration);
        if (expiresAt is not null && !rests) throw new BadRequestException($"{expiration} needs time_in_force good_till_canceled");
        string? clientOrderId = body.Text("client_order_id");
        if (clientOrderId?.Length > MaxClientOrderIdLength)
            throw new BadRequestException($"client_order_id must have at most {MaxClientOrderIdLength} characters, not {clientOrderId.Length}");
        return request with { TimeInForce = timeInForce, PostOnly = postOnly, ExpiresAt = expiresAt, ClientOrderId = clientOrderId };
    }

    private static DateTimeOffset? ExpirationOf(JsonBody body, string name)
    {
        if (body.Integer(name) is not { } seconds) return null;
        return seconds > 0 && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : throw new BadRequestException($"{name} must be a time in Unix seconds, not {seconds}");
    }

    private static void RefuseWhatIsNotOffered(JsonBody body, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
            if (body.Has(name)) throw NotOffered(name, "left out");
        if (body.Has("order_group_id")) throw NotOffered("order_group_id", "left out");
        if (body.Flag("reduce_only") == true) throw NotOffered("reduce_only", "false");
        if (body.Integer("subaccount") is not (null or 0)) throw NotOffered("subaccount", "0");
        if (body.Integer("exchange_index") is not (null or 0 or -1)) throw NotOffered("exchange_index", "0 or -1");
        // Trading is never paused here, so that this holds whatever it says.
        body.Flag("cancel_order_on_pause");
    }

    private static BadRequestException NotOffered(string name, string right) => new($"{name} must be {right}: this exchange offers nothing else");
}
