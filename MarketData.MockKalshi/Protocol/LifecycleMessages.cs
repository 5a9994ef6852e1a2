using System.Globalization;
using System.Text;
using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Protocol;

/// <summary>Composes the <c>msg</c> of life cycle frames (protocol reference, section 1.8); their times are seconds.</summary>
internal static class LifecycleMessages
{
    public static ReadOnlySpan<byte> EventCreated(FrameText text, MarketDefinition market) => text.Clear()
        .Raw("{\"event_ticker\":"u8).String(market.EventTicker)
        .Raw(",\"title\":"u8).String(market.Title)
        .Raw(",\"subtitle\":"u8).String(market.YesSubTitle)
        .Raw(",\"collateral_return_type\":\"\",\"series_ticker\":"u8).String(market.SeriesTicker)
        .Raw(",\"exchange_index\":0,\"strike_date\":"u8).Number(market.CloseTime.ToUnixTimeSeconds())
        .Raw((byte)'}').Written;

    public static ReadOnlySpan<byte> Created(FrameText text, MarketDefinition market)
    {
        Begin(text, market, "created"u8)
            .Raw(",\"open_ts\":"u8).Number(market.OpenTime.ToUnixTimeSeconds())
            .Raw(",\"close_ts\":"u8).Number(market.CloseTime.ToUnixTimeSeconds())
            .Raw(",\"exchange_index\":0"u8);
        Ticks(text, market.Prices);
        text.Raw(",\"additional_metadata\":{\"name\":"u8).String(market.Title)
            .Raw(",\"title\":"u8).String(market.Title)
            .Raw(",\"yes_sub_title\":"u8).String(market.YesSubTitle)
            .Raw(",\"no_sub_title\":"u8).String(market.NoSubTitle)
            .Raw(",\"rules_primary\":"u8).String(market.RulesPrimary)
            .Raw(",\"rules_secondary\":\"\",\"can_close_early\":true,\"event_ticker\":"u8).String(market.EventTicker)
            .Raw(",\"expected_expiration_ts\":"u8).Number(market.CloseTime.ToUnixTimeSeconds());
        Strike(text, market.FloorStrike);
        return text.Raw("}}"u8).Written;
    }

    public static ReadOnlySpan<byte> Activated(FrameText text, MarketDefinition market) =>
        Begin(text, market, "activated"u8).Raw(",\"is_deactivated\":false}"u8).Written;

    public static ReadOnlySpan<byte> Deactivated(FrameText text, MarketDefinition market) =>
        Begin(text, market, "deactivated"u8).Raw(",\"is_deactivated\":true}"u8).Written;

    public static ReadOnlySpan<byte> CloseDateUpdated(FrameText text, MarketDefinition market) =>
        Begin(text, market, "close_date_updated"u8).Raw(",\"close_ts\":"u8).Number(market.CloseTime.ToUnixTimeSeconds()).Raw((byte)'}').Written;

    public static ReadOnlySpan<byte> PriceLevelStructureUpdated(FrameText text, MarketDefinition market) =>
        Ticks(Begin(text, market, "price_level_structure_updated"u8), market.Prices).Raw((byte)'}').Written;

    public static ReadOnlySpan<byte> MetadataUpdated(FrameText text, MarketDefinition market) =>
        Strike(Begin(text, market, "metadata_updated"u8), market.FloorStrike)
            .Raw(",\"yes_sub_title\":"u8).String(market.YesSubTitle).Raw((byte)'}').Written;

    public static ReadOnlySpan<byte> Determined(FrameText text, MarketDefinition market, string result, DateTimeOffset time) =>
        Begin(text, market, "determined"u8)
            .Raw(",\"determination_ts\":"u8).Number(time.ToUnixTimeSeconds())
            .Raw(",\"result\":"u8).String(result)
            .Raw(result == "yes" ? ",\"settlement_value\":\"1.0000\"}"u8 : ",\"settlement_value\":\"0.0000\"}"u8).Written;

    public static ReadOnlySpan<byte> Settled(FrameText text, MarketDefinition market, DateTimeOffset time) =>
        Begin(text, market, "settled"u8).Raw(",\"settled_ts\":"u8).Number(time.ToUnixTimeSeconds()).Raw((byte)'}').Written;

    private static FrameText Ticks(FrameText text, PriceStructure prices)
    {
        text.Raw(",\"price_level_structure\":"u8).String(prices.Name).Raw(",\"price_ranges\":["u8);
        for (int i = 0; i < prices.Ranges.Count; i++)
        {
            var range = prices.Ranges[i];
            text.Raw(i == 0 ? "{\"start\":"u8 : ",{\"start\":"u8).Price(range.Start)
                .Raw(",\"end\":"u8).Price(range.End).Raw(",\"step\":"u8).Price(range.Step).Raw((byte)'}');
        }

        return text.Raw((byte)']');
    }

    private static FrameText Strike(FrameText text, decimal? strike) => strike is not { } floor
        ? text
        : text.Raw(",\"strike_type\":\"greater_or_equal\",\"floor_strike\":"u8).Raw(Encoding.ASCII.GetBytes(floor.ToString(CultureInfo.InvariantCulture)));

    private static FrameText Begin(FrameText text, MarketDefinition market, ReadOnlySpan<byte> eventType) => text.Clear()
        .Raw("{\"market_ticker\":"u8).String(market.Ticker).Raw(",\"event_type\":\""u8).Raw(eventType).Raw((byte)'"');
}
