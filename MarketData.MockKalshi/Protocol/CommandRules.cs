namespace MarketData.MockKalshi.Protocol;

/// <summary>What is wrong with a well-formed command before it meets the session's subscriptions (protocol reference, sections 1.4 and 1.6).</summary>
internal static class CommandRules
{
    private const int MostShards = 100;

    /// <summary>Null when the channel can be subscribed to with these parameters.</summary>
    /// <param name="parameters">Of the command.</param>
    /// <param name="channel">One of the channels that it names.</param>
    /// <param name="customer">Who is connected; empty for nobody.</param>
    public static ErrorCode? CheckSubscribe(CommandParams parameters, FeedChannel channel, string customer)
    {
        if (channel.NeedsCustomer && customer.Length == 0) return ErrorCode.AuthenticationRequired;
        if (channel == FeedChannel.Communications) return CheckShards(parameters);
        if (!channel.MarketsAccepted) return null;
        bool namesTickers = parameters.MarketTicker is not null || parameters.MarketTickers is { Length: > 0 };
        if (channel.MarketsRequired && !namesTickers) return ErrorCode.MarketTickerRequired;
        // Elsewhere ids would be ignored, and the client would get every market in place of those it named.
        bool idsAreIgnored = channel != FeedChannel.Ticker && !namesTickers && (parameters.MarketId is not null || parameters.MarketIds is { Length: > 0 });
        return idsAreIgnored ? ErrorCode.InvalidParameter : null;
    }

    private static ErrorCode? CheckShards(CommandParams parameters) => (parameters.ShardFactor, parameters.ShardKey) switch
    {
        ( <= 0, _) => ErrorCode.ShardFactorNotPositive,
        ( > MostShards, _) => ErrorCode.ShardFactorTooLarge,
        (null, not null) => ErrorCode.ShardFactorRequired,
        var (factor, key) when key < 0 || key >= factor => ErrorCode.ShardKeyOutOfRange,
        _ => null,
    };
}
