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
    ChannelError = 10,
    InvalidParameter = 11,
    ExactlyOneSubscription = 12,
    UnsupportedAction = 13,
    MarketTickerRequired = 14,
    ActionRequired = 15,
    BufferOverflow = 25,
    MarketLimitExceeded = 26,
    TooManyRequests = 27,
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
        ErrorCode.ChannelError => "Channel error",
        ErrorCode.InvalidParameter => "Invalid parameter",
        ErrorCode.ExactlyOneSubscription => "Exactly one subscription ID is required",
        ErrorCode.UnsupportedAction => "Unsupported action",
        ErrorCode.MarketTickerRequired => "Market Ticker required",
        ErrorCode.ActionRequired => "Action required",
        ErrorCode.BufferOverflow => "Subscription buffer overflow",
        ErrorCode.MarketLimitExceeded => "Subscription market limit exceeded",
        ErrorCode.TooManyRequests => "Too many requests",
        _ => throw new ArgumentOutOfRangeException(nameof(code), code, "has no text"),
    };
}
