using System.Globalization;
using System.Text.Json;
using MarketData.Domain.Books;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Protocol;

/// <summary>Writes REST objects with the fields of the exchange (protocol reference, section 3).</summary>
internal static class MarketJson
{
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.FFFFFFZ";

    public static void WriteMarket(Utf8JsonWriter json, MarketView market)
    {
        var definition = market.Definition;
        var quotes = market.Quotes;
        json.WriteStartObject();
        json.WriteBoolean("can_close_early", true);
        WriteTime(json, "close_time", definition.CloseTime);
        WriteTime(json, "created_time", definition.CreatedTime);
        json.WriteString("event_ticker", definition.EventTicker);
        json.WriteNumber("exchange_index", 0);
        WriteTime(json, "expected_expiration_time", definition.CloseTime.AddMinutes(5));
        WriteTime(json, "expiration_time", definition.CloseTime.AddDays(7));
        json.WriteString("expiration_value", "");
        if (definition.FloorStrike is { } strike) json.WriteNumber("floor_strike", strike);
        WritePrice(json, "last_price_dollars", quotes.LastPrice);
        WriteTime(json, "latest_expiration_time", definition.CloseTime.AddDays(7));
        WritePrice(json, "liquidity_dollars", 0);
        json.WriteString("market_type", "binary");
        WritePrice(json, "no_ask_dollars", quotes.NoAskPrice);
        WritePrice(json, "no_bid_dollars", quotes.NoBidPrice);
        json.WriteString("no_sub_title", definition.NoSubTitle);
        WritePrice(json, "notional_value_dollars", FixedPoint.PriceScale);
        WriteCount(json, "open_interest_fp", quotes.OpenInterest);
        WriteTime(json, "open_time", definition.OpenTime);
        WritePrice(json, "previous_price_dollars", quotes.PreviousPrice);
        WritePrice(json, "previous_yes_ask_dollars", quotes.YesAskPrice);
        WritePrice(json, "previous_yes_bid_dollars", quotes.YesBidPrice);
        WriteTicks(json, definition.Prices);
        json.WriteString("result", market.Result);
        json.WriteString("rules_primary", definition.RulesPrimary);
        json.WriteString("rules_secondary", "");
        json.WriteNumber("settlement_timer_seconds", 1);
        if (market.SettlementTime is { } settled)
        {
            WriteTime(json, "settlement_ts", settled);
            WritePrice(json, "settlement_value_dollars", market.Result == "yes" ? FixedPoint.PriceScale : 0);
        }

        json.WriteString("status", StatusWord(market.Status));
        if (definition.FloorStrike is not null) json.WriteString("strike_type", "greater_or_equal");
        json.WriteString("ticker", definition.Ticker);
        json.WriteString("title", definition.Title);
        WriteTime(json, "updated_time", market.UpdatedTime);
        WriteCount(json, "volume_24h_fp", quotes.Volume);
        WriteCount(json, "volume_fp", quotes.Volume);
        WritePrice(json, "yes_ask_dollars", quotes.YesAskPrice);
        WriteCount(json, "yes_ask_size_fp", quotes.NoBid?.Count ?? 0);
        WritePrice(json, "yes_bid_dollars", quotes.YesBidPrice);
        WriteCount(json, "yes_bid_size_fp", quotes.YesBid?.Count ?? 0);
        json.WriteString("yes_sub_title", definition.YesSubTitle);
        json.WriteEndObject();
    }

    /// <summary>Both keys are present, prices ascend, the best bid is last.</summary>
    /// <param name="json">Positioned where a value goes.</param>
    /// <param name="book">The whole book.</param>
    /// <param name="depth">The best so many levels of each side; 0 for all.</param>
    public static void WriteBook(Utf8JsonWriter json, BookView book, int depth)
    {
        json.WriteStartObject();
        WriteLevels(json, "yes_dollars", book.Yes, depth);
        WriteLevels(json, "no_dollars", book.No, depth);
        json.WriteEndObject();
    }

    private static void WriteLevels(Utf8JsonWriter json, string name, ReadOnlySpan<Level> levels, int depth)
    {
        if (depth > 0 && levels.Length > depth) levels = levels[^depth..];
        json.WriteStartArray(name);
        Span<byte> text = stackalloc byte[FixedPoint.MaxFormattedLength];
        foreach (var level in levels)
        {
            json.WriteStartArray();
            json.WriteStringValue(text[..FixedPoint.FormatPrice(level.Price, text)]);
            json.WriteStringValue(text[..FixedPoint.FormatCount(level.Count, text)]);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    private static void WriteTicks(Utf8JsonWriter json, PriceStructure prices)
    {
        json.WriteString("price_level_structure", prices.Name);
        json.WriteStartArray("price_ranges");
        foreach (var range in prices.Ranges)
        {
            json.WriteStartObject();
            WritePrice(json, "end", range.End);
            WritePrice(json, "start", range.Start);
            WritePrice(json, "step", range.Step);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string StatusWord(MarketStatus status) => status switch
    {
        MarketStatus.Initialized => "initialized",
        MarketStatus.Inactive => "inactive",
        MarketStatus.Active => "active",
        MarketStatus.Closed => "closed",
        MarketStatus.Determined => "determined",
        _ => "finalized",
    };

    private static void WriteTime(Utf8JsonWriter json, string name, DateTimeOffset time) =>
        json.WriteString(name, time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture));

    private static void WritePrice(Utf8JsonWriter json, string name, int price)
    {
        Span<byte> text = stackalloc byte[FixedPoint.MaxFormattedLength];
        json.WriteString(name, text[..FixedPoint.FormatPrice(price, text)]);
    }

    private static void WriteCount(Utf8JsonWriter json, string name, long count)
    {
        Span<byte> text = stackalloc byte[FixedPoint.MaxFormattedLength];
        json.WriteString(name, text[..FixedPoint.FormatCount(count, text)]);
    }
}
