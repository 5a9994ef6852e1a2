namespace MarketData.MockKalshi.Protocol;

/// <summary>Error codes of the WebSocket API (protocol reference, section 1.6) that this exchange sends.</summary>
internal enum ErrorCode
{
    UnableToProcess = 1,
    ParamsRequired = 2,
    ChannelsRequired = 3,
    SubscriptionIdsRequired = 4,
    UnknownCommand = 5,
    UnknownSubscription = 7,
    UnknownChannel = 8,
    AuthenticationRequired = 9,
    ChannelError = 10,
    InvalidParameter = 11,
    ExactlyOneSubscription = 12,
    UnsupportedAction = 13,
    MarketTickerRequired = 14,
    ActionRequired = 15,
    CommandTimeout = 18,
    ShardFactorNotPositive = 19,
    ShardFactorRequired = 20,
    ShardKeyOutOfRange = 21,
    ShardFactorTooLarge = 22,
    IndexIdsRequired = 24,
    BufferOverflow = 25,
    MarketLimitExceeded = 26,
    TooManyRequests = 27,
    UnderlyingTickersRequired = 28,
}

internal static class ErrorCodeText
{
    public static string Text(this ErrorCode code) => code switch
    {
        ErrorCode.UnableToProcess => "Unable to process message",
        ErrorCode.ParamsRequired => "Params required",
        ErrorCode.ChannelsRequired => "Channels required",
        ErrorCode.SubscriptionIdsRequired => "Subscription IDs required",
        ErrorCode.UnknownCommand => "Unknown command",
        ErrorCode.UnknownSubscription => "Unknown subscription ID",
        ErrorCode.UnknownChannel => "Unknown channel name",
        ErrorCode.AuthenticationRequired => "Authentication required",
        ErrorCode.ChannelError => "Channel error",
        ErrorCode.InvalidParameter => "Invalid parameter",
        ErrorCode.ExactlyOneSubscription => "Exactly one subscription ID is required",
        ErrorCode.UnsupportedAction => "Unsupported action",
        ErrorCode.MarketTickerRequired => "Market Ticker required",
        ErrorCode.ActionRequired => "Action required",
        ErrorCode.CommandTimeout => "Command timeout",
        ErrorCode.ShardFactorNotPositive => "shard_factor must be > 0",
        ErrorCode.ShardFactorRequired => "shard_factor is required when shard_key is set",
        ErrorCode.ShardKeyOutOfRange => "shard_key must be >= 0 and < shard_factor",
        ErrorCode.ShardFactorTooLarge => "shard_factor must be <= 100",
        ErrorCode.IndexIdsRequired => "Index IDs required",
        ErrorCode.BufferOverflow => "Subscription buffer overflow",
        ErrorCode.MarketLimitExceeded => "Subscription market limit exceeded",
        ErrorCode.TooManyRequests => "Too many requests",
        ErrorCode.UnderlyingTickersRequired => "Underlying tickers required",
        _ => throw new ArgumentOutOfRangeException(nameof(code), code, "has no text"),
    };
}
