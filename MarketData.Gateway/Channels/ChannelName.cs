using System.Diagnostics.CodeAnalysis;
using System.Text;
using MarketData.Domain.Channels;

namespace MarketData.Gateway.Channels;

/// <summary>
/// A channel as clients name it: <c>all</c>, <c>{ticker}:{type}</c> or <c>*:{type}</c>.
/// </summary>
/// <param name="Ticker">The market; null for every market.</param>
/// <param name="Type">The type; <see cref="MarketChannel.Other"/> for every type, which only <c>all</c> has.</param>
public sealed record ChannelName(string? Ticker, MarketChannel Type)
{
    /// <summary>Says what a channel name may be, for error messages.</summary>
    public const string Rule =
        "a channel is all, {ticker}:{type} or *:{type}, with type one of orderbook_snapshot, orderbook_delta, ticker_v2 (or ticker), trade, market_lifecycle_v2; a ticker " + PlainName.Rule;

    /// <summary>Every market, every type.</summary>
    public static ChannelName All { get; } = new(null, MarketChannel.Other);

    public bool IsAll => this == All;

    /// <summary>Reads a name; false when it is none.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out ChannelName? name)
    {
        name = null;
        if (text == "all")
        {
            name = All;
            return true;
        }

        int colon = text.LastIndexOf(':');
        if (colon < 1) return false;
        var type = MarketChannels.Parse(Encoding.UTF8.GetBytes(text[(colon + 1)..]));
        if (type == MarketChannel.Other) return false;
        var ticker = text[..colon];
        if (ticker != "*" && !PlainName.IsValid(Encoding.UTF8.GetBytes(ticker))) return false;
        name = new ChannelName(ticker == "*" ? null : ticker, type);
        return true;
    }

    /// <summary>The name under its first spelling: <c>ticker</c> reads <c>ticker_v2</c>.</summary>
    public override string ToString() => IsAll ? "all" : $"{Ticker ?? "*"}:{Encoding.UTF8.GetString(Type.Utf8Name())}";
}
