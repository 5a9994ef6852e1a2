namespace MarketData.MockKalshi.Protocol;

/// <summary>A channel that a client can subscribe to (protocol reference, section 1.7).</summary>
/// <param name="Name">As in commands.</param>
/// <param name="Sequenced">Its data frames carry <c>seq</c>.</param>
/// <param name="MarketsRequired">A subscription must name its markets.</param>
/// <param name="MarketsAccepted">A subscription may name its markets; otherwise names are ignored and everything is sent.</param>
/// <param name="FrameTypes">The <c>type</c> of its data frames.</param>
internal sealed record FeedChannel(string Name, bool Sequenced, bool MarketsRequired, bool MarketsAccepted, params string[] FrameTypes)
{
    public static readonly FeedChannel OrderbookDelta =
        new("orderbook_delta", true, true, true, "orderbook_snapshot", "orderbook_delta") { NeedsCustomer = true };

    public static readonly FeedChannel Ticker = new("ticker", false, false, true, "ticker", "ticker_v2");
    public static readonly FeedChannel Trade = new("trade", true, false, true, "trade");

    public static readonly FeedChannel Lifecycle =
        new("market_lifecycle_v2", true, false, false, "market_lifecycle_v2", "event_lifecycle", "event_fee_update");

    public static readonly FeedChannel Communications =
        new("communications", true, false, false, "rfq_created", "rfq_deleted", "quote_created", "quote_accepted", "quote_executed") { NeedsCustomer = true };

    private static readonly IndexFilter IndexIds =
        new("index_ids", "subscribe_indices", "unsubscribe_indices", "indexlist", ErrorCode.IndexIdsRequired, parameters => parameters.IndexIds);

    private static readonly IndexFilter UnderlyingTickers = new(
        "underlying_tickers", "subscribe_underlyings", "unsubscribe_underlyings", "underlying_list", ErrorCode.UnderlyingTickersRequired,
        parameters => parameters.UnderlyingTickers);

    private static readonly FeedChannel[] All =
    [
        OrderbookDelta, Ticker, Trade, Lifecycle, Communications,
        new("multivariate_market_lifecycle", true, false, false, "multivariate_market_lifecycle"),
        new("fill", false, false, true, "fill") { NeedsCustomer = true },
        new("market_positions", false, false, true, "market_position") { NeedsCustomer = true },
        new("user_orders", false, false, true, "user_order") { NeedsCustomer = true },
        new("order_group_updates", true, false, false, "order_group_updates") { NeedsCustomer = true },
        new("cfbenchmarks_value", true, false, false, "cfbenchmarks_value") { NeedsCustomer = true, Indexes = IndexIds },
        new("cfbenchmarks_value_5hz", true, false, false, "cfbenchmarks_value_5hz") { NeedsCustomer = true, Indexes = IndexIds },
        new("pyth_value", true, false, false, "pyth_value") { NeedsCustomer = true, Indexes = UnderlyingTickers },
    ];

    private static readonly Dictionary<string, FeedChannel> ByName = All.ToDictionary(channel => channel.Name);

    private static readonly Dictionary<string, FeedChannel> ByFrameType =
        All.SelectMany(channel => channel.FrameTypes.Select(type => (type, channel))).ToDictionary(pair => pair.type, pair => pair.channel);

    /// <summary>Refused with error 9 to a connection without a key.</summary>
    public bool NeedsCustomer { get; private init; }

    /// <summary>Set on channels that are filtered by indexes instead of markets.</summary>
    public IndexFilter? Indexes { get; private init; }

    /// <summary>Null when there is no such channel: error 8.</summary>
    public static FeedChannel? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The channel that carries a frame of this type; null for control frames and unknown types.</summary>
    public static FeedChannel? CarrierOf(string frameType) => ByFrameType.GetValueOrDefault(frameType);
}

/// <summary>How a channel of index values is filtered (protocol reference, section 1.4).</summary>
/// <param name="Key">The list's key in commands and acks.</param>
/// <param name="AddAction">The action that adds to the list.</param>
/// <param name="RemoveAction">The action that takes from it.</param>
/// <param name="ListAction">The action that asks which there are.</param>
/// <param name="Missing">The error of an action without its list.</param>
/// <param name="Named">The list of a command; null when absent.</param>
internal sealed record IndexFilter(
    string Key, string AddAction, string RemoveAction, string ListAction, ErrorCode Missing, Func<CommandParams, string[]?> Named);
