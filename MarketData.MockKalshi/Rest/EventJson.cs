using System.Text.Json;
using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Rest;

/// <summary>Writes events and series with the fields of the exchange (protocol reference, section 3).</summary>
internal static class EventJson
{
    /// <summary>The one category of this exchange.</summary>
    public const string Category = "Simulated";

    private const string NeverUpdated = "0001-01-01T00:00:00Z";

    public static void WriteEvent(Utf8JsonWriter json, EventView found, bool withMarkets)
    {
        var definition = found.Definition;
        json.WriteStartObject();
        json.WriteBoolean("available_on_brokers", false);
        json.WriteString("category", Category);
        json.WriteString("collateral_return_type", "");
        json.WriteString("event_ticker", found.Ticker);
        json.WriteNumber("exchange_index", 0);
        json.WriteString("last_updated_ts", NeverUpdated);
        if (withMarkets) WriteMarkets(json, found.Markets);
        json.WriteBoolean("mutually_exclusive", false);
        WriteEmptyObject(json, "product_metadata");
        json.WriteString("series_ticker", definition.SeriesTicker);
        WriteEmptyArray(json, "settlement_sources");
        json.WriteTime("strike_date", definition.CloseTime);
        json.WriteString("strike_period", "");
        json.WriteString("sub_title", definition.YesSubTitle);
        json.WriteString("title", definition.Title);
        json.WriteEndObject();
    }

    public static void WriteMarkets(Utf8JsonWriter json, IReadOnlyList<MarketView> markets)
    {
        json.WriteStartArray("markets");
        foreach (var market in markets) MarketJson.WriteMarket(json, market);
        json.WriteEndArray();
    }

    /// <summary>A series has no facts of its own here beyond its ticker: the rest says so in the exchange's fields.</summary>
    /// <param name="json">Positioned where a value goes.</param>
    /// <param name="ticker">The series.</param>
    /// <param name="volume">1/100 contract; null to leave it out.</param>
    public static void WriteSeries(Utf8JsonWriter json, string ticker, long? volume)
    {
        json.WriteStartObject();
        WriteEmptyArray(json, "additional_prohibitions");
        json.WriteStartArray("categories");
        json.WriteStringValue(Category);
        json.WriteEndArray();
        json.WriteString("category", Category);
        json.WriteString("contract_terms_url", "");
        json.WriteString("contract_url", "");
        json.WriteNumber("exchange_index", 0);
        // Trades cost nothing but their price here.
        json.WriteNumber("fee_multiplier", 0);
        json.WriteString("fee_type", "quadratic");
        json.WriteString("frequency", "custom");
        json.WriteString("last_updated_ts", NeverUpdated);
        WriteEmptyObject(json, "product_metadata");
        WriteEmptyArray(json, "settlement_sources");
        WriteEmptyArray(json, "tags");
        json.WriteString("ticker", ticker);
        json.WriteString("title", ticker);
        if (volume is { } traded) json.WriteCount("volume_fp", traded);
        json.WriteEndObject();
    }

    private static void WriteEmptyArray(Utf8JsonWriter json, string name)
    {
        json.WriteStartArray(name);
        json.WriteEndArray();
    }

    private static void WriteEmptyObject(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject(name);
        json.WriteEndObject();
    }
}
