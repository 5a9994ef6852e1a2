namespace MarketData.MockKalshi.Protocol;

/// <summary>A channel that a client can subscribe to (protocol reference, section 1.7).</summary>
/// <param name="Name">As in commands.</param>
/// <param name="Sequenced">Its data frames carry <c>seq</c>.</param>
/// <param name="MarketsRequired">A subscription must name its markets.</param>
/// <param name="MarketsAccepted">A subscription may name its markets; otherwise names are ignored and everything is sent.</param>
/// <param name="FrameTypes">The <c>type</c> of its data frames.</param>
internal sealed record FeedChannel(string Name, bool Sequenced, bool MarketsRequired, bool MarketsAccepted, params string[] FrameTypes)
{
    public static readonly FeedChannel OrderbookDelta = new("orderbook_delta", true, true, true, "orderbook_snapshot", "orderbook_delta");
    public static readonly FeedChannel Ticker = new("ticker", false, false, true, "ticker", "ticker_v2");
    public static readonly FeedChannel Trade = new("trade", true, false, true, "trade");

    public static readonly FeedChannel Lifecycle =
        new("market_lifecycle_v2", true, false, false, "market_lifecycle_v2", "event_lifecycle", "event_fee_update");

    private static readonly FeedChannel[] All =
    [
        OrderbookDelta, Ticker, Trade, Lifecycle,
        new("multivariate_market_lifecycle", true, false, false, "multivariate_market_lifecycle"),
        new("fill", false, false, true, "fill"),
        new("market_positions", false, false, true, "market_position"),
        new("user_orders", false, false, true, "user_order"),
        new("order_group_updates", true, false, false, "order_group_updates"),
    ];

    private static readonly Dictionary<string, FeedChannel> ByName = All.ToDictionary(channel => channel.Name);

    private static readonly Dictionary<string, FeedChannel> ByFrameType =
        All.SelectMany(channel => channel.FrameTypes.Select(type => (type, channel))).ToDictionary(pair => pair.type, pair => pair.channel);

    /// <summary>Null when there is no such channel: error 8.</summary>
    public static FeedChannel? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The channel that carries a frame of this type; null for control frames and unknown types.</summary>
    public static FeedChannel? CarrierOf(string frameType) => ByFrameType.GetValueOrDefault(frameType);
}
