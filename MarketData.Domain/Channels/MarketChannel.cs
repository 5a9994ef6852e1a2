namespace MarketData.Domain.Channels;

/// <summary>The public channel of a frame: its name in envelopes, Redis channels and client subscriptions.</summary>
public enum MarketChannel : byte
{
    /// <summary>A frame type that this version does not know; it keeps its own name.</summary>
    Other,
    OrderbookSnapshot,
    OrderbookDelta,
    TickerV2,
    Trade,
    MarketLifecycleV2,
}

/// <summary>What one hole-free count of <c>streamSequence</c> runs over, for each market.</summary>
public enum StreamKind : byte
{
    Other,

    /// <summary>Snapshots and deltas share one count.</summary>
    OrderBook,
    Ticker,
    Trade,
    Lifecycle,
}

/// <summary>Names and streams of channels.</summary>
public static class MarketChannels
{
    /// <summary>Reads a channel name; <c>ticker</c> is an alias of <c>ticker_v2</c>.</summary>
    public static MarketChannel Parse(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("orderbook_delta"u8) => MarketChannel.OrderbookDelta,
        _ when name.SequenceEqual("orderbook_snapshot"u8) => MarketChannel.OrderbookSnapshot,
        _ when name.SequenceEqual("trade"u8) => MarketChannel.Trade,
        _ when name.SequenceEqual("ticker_v2"u8) || name.SequenceEqual("ticker"u8) => MarketChannel.TickerV2,
        _ when name.SequenceEqual("market_lifecycle_v2"u8) => MarketChannel.MarketLifecycleV2,
        _ => MarketChannel.Other,
    };

    /// <summary>The name on the wire; empty for <see cref="MarketChannel.Other"/>, which has no name of its own.</summary>
    public static ReadOnlySpan<byte> Utf8Name(this MarketChannel channel) => channel switch
    {
        MarketChannel.OrderbookDelta => "orderbook_delta"u8,
        MarketChannel.OrderbookSnapshot => "orderbook_snapshot"u8,
        MarketChannel.Trade => "trade"u8,
        MarketChannel.TickerV2 => "ticker_v2"u8,
        MarketChannel.MarketLifecycleV2 => "market_lifecycle_v2"u8,
        _ => default,
    };

    public static StreamKind Stream(this MarketChannel channel) => channel switch
    {
        MarketChannel.OrderbookDelta or MarketChannel.OrderbookSnapshot => StreamKind.OrderBook,
        MarketChannel.Trade => StreamKind.Trade,
        MarketChannel.TickerV2 => StreamKind.Ticker,
        MarketChannel.MarketLifecycleV2 => StreamKind.Lifecycle,
        _ => StreamKind.Other,
    };
}
