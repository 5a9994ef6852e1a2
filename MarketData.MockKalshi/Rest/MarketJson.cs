using System.Text.Json;
using MarketData.Domain.Books;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Rest;

/// <summary>Writes markets and books with the fields of the exchange (protocol reference, section 3).</summary>
internal static class MarketJson
{
    public static void WriteMarket(Utf8JsonWriter json, MarketView market)
    {
        var definition = market.Definition;
        var quotes = market.Quotes;
        json.WriteStartObject();
        json.WriteBoolean("can_close_early", true);
        json.WriteTime("close_time", definition.CloseTime);
        json.WriteTime("created_time", definition.CreatedTime);
        json.WriteString("event_ticker", definition.EventTicker);
        json.WriteNumber("exchange_index", 0);
        json.WriteTime("expected_expiration_time", definition.CloseTime.AddMinutes(5));
        json.WriteTime("expiration_time", definition.CloseTime.AddDays(7));
        json.WriteString("expiration_value", "");
        if (definition.FloorStrike is { } strike) json.WriteNumber("floor_strike", strike);
        json.WritePrice("last_price_dollars", quotes.LastPrice);
        json.WriteTime("latest_expiration_time", definition.CloseTime.AddDays(7));
        json.WritePrice("liquidity_dollars", 0);
        json.WriteString("market_type", "binary");
        json.WritePrice("no_ask_dollars", quotes.NoAskPrice);
        json.WritePrice("no_bid_dollars", quotes.NoBidPrice);
        json.WriteString("no_sub_title", definition.NoSubTitle);
        json.WritePrice("notional_value_dollars", FixedPoint.PriceScale);
        json.WriteCount("open_interest_fp", quotes.OpenInterest);
        json.WriteTime("open_time", definition.OpenTime);
        json.WritePrice("previous_price_dollars", quotes.PreviousPrice);
        json.WritePrice("previous_yes_ask_dollars", quotes.YesAskPrice);
        json.WritePrice("previous_yes_bid_dollars", quotes.YesBidPrice);
        WriteTicks(json, definition.Prices);
        json.WriteString("result", market.Result);
        json.WriteString("rules_primary", definition.RulesPrimary);
        json.WriteString("rules_secondary", "");
        json.WriteNumber("settlement_timer_seconds", 1);
        if (market.SettlementTime is { } settled)
        {
            json.WriteTime("settlement_ts", settled);
            json.WritePrice("settlement_value_dollars", market.Result == "yes" ? FixedPoint.PriceScale : 0);
        }

        json.WriteString("status", StatusWord(market.Status));
        if (definition.FloorStrike is not null) json.WriteString("strike_type", "greater_or_equal");
        json.WriteString("ticker", definition.Ticker);
        json.WriteString("title", definition.Title);
        json.WriteTime("updated_time", market.UpdatedTime);
        json.WriteCount("volume_24h_fp", quotes.Volume);
        json.WriteCount("volume_fp", quotes.Volume);
        json.WritePrice("yes_ask_dollars", quotes.YesAskPrice);
        json.WriteCount("yes_ask_size_fp", quotes.NoBid?.Count ?? 0);
        json.WritePrice("yes_bid_dollars", quotes.YesBidPrice);
        json.WriteCount("yes_bid_size_fp", quotes.YesBid?.Count ?? 0);
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

    public static void WriteTrade(Utf8JsonWriter json, TradeView trade)
    {
        string taker = trade.Print.Taker == Side.Yes ? "yes" : "no";
        json.WriteStartObject();
        json.WriteCount("count_fp", trade.Print.Count);
        json.WriteTime("created_time", trade.Time);
        json.WriteBoolean("is_block_trade", false);
        json.WritePrice("no_price_dollars", FixedPoint.PriceScale - trade.Print.YesPrice);
        json.WriteString("taker_book_side", trade.Print.Taker == Side.Yes ? "bid" : "ask");
        json.WriteString("taker_outcome_side", taker);
        json.WriteString("taker_side", taker);
        json.WriteString("ticker", trade.Ticker);
        json.WriteString("trade_id", trade.Print.Id);
        json.WritePrice("yes_price_dollars", trade.Print.YesPrice);
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
            json.WritePrice("end", range.End);
            json.WritePrice("start", range.Start);
            json.WritePrice("step", range.Step);
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
}
