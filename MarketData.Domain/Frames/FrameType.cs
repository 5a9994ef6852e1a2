using MarketData.Domain.Channels;

namespace MarketData.Domain.Frames;

/// <summary>What a frame of the exchange is, over all dialects.</summary>
public enum FrameType : byte
{
    /// <summary>A type that this version does not know: passed through under its own name.</summary>
    Unknown,
    OrderbookSnapshot,
    OrderbookDelta,
    Ticker,
    Trade,

    /// <summary>Market and event life cycle, fee updates.</summary>
    Lifecycle,

    /// <summary>Concerns the connected account (fills, positions, orders, quotes): never leaves the ingest service.</summary>
    Private,
    Subscribed,
    Unsubscribed,
    Ok,
    Error,
}

/// <summary>Frame types on the wire.</summary>
public static class FrameTypes
{
    public static FrameType Parse(ReadOnlySpan<byte> type) => type switch
    {
        _ when type.SequenceEqual("orderbook_delta"u8) => FrameType.OrderbookDelta,
        _ when type.SequenceEqual("orderbook_snapshot"u8) => FrameType.OrderbookSnapshot,
        _ when type.SequenceEqual("trade"u8) => FrameType.Trade,
        _ when type.SequenceEqual("ticker"u8) || type.SequenceEqual("ticker_v2"u8) => FrameType.Ticker,
        _ when type.SequenceEqual("market_lifecycle_v2"u8) || type.SequenceEqual("event_lifecycle"u8)
            || type.SequenceEqual("event_fee_update"u8) || type.SequenceEqual("multivariate_market_lifecycle"u8) => FrameType.Lifecycle,
        _ when type.SequenceEqual("subscribed"u8) => FrameType.Subscribed,
        _ when type.SequenceEqual("unsubscribed"u8) => FrameType.Unsubscribed,
        _ when type.SequenceEqual("ok"u8) || type.SequenceEqual("subscription_updated"u8) => FrameType.Ok,
        _ when type.SequenceEqual("error"u8) => FrameType.Error,
        _ when IsPrivate(type) => FrameType.Private,
        _ => FrameType.Unknown,
    };

    /// <summary>The public channel of a frame type; <see cref="MarketChannel.Other"/> for control, private and unknown frames.</summary>
    public static MarketChannel Channel(this FrameType type) => type switch
    {
        FrameType.OrderbookDelta => MarketChannel.OrderbookDelta,
        FrameType.OrderbookSnapshot => MarketChannel.OrderbookSnapshot,
        FrameType.Trade => MarketChannel.Trade,
        FrameType.Ticker => MarketChannel.TickerV2,
        FrameType.Lifecycle => MarketChannel.MarketLifecycleV2,
        _ => MarketChannel.Other,
    };

    private static bool IsPrivate(ReadOnlySpan<byte> type) =>
        type.StartsWith("fill"u8) || type.StartsWith("user_order"u8) || type.StartsWith("order_update"u8)
        || type.StartsWith("order_group"u8) || type.StartsWith("market_position"u8)
        || type.StartsWith("rfq_"u8) || type.StartsWith("quote_"u8) || type.StartsWith("communications"u8);
}
