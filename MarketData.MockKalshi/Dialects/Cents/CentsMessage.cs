using System.Collections.Frozen;
using System.Text.Json;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Dialects.Cents;

/// <summary>
/// Turns a fixed-point <c>msg</c> into that of the cents era (protocol reference, section 2.1), field by field: the meaning of a key does
/// not depend on the type of its frame.
/// </summary>
internal static class CentsMessage
{
    private enum Form
    {
        /// <summary>Came after the cents era.</summary>
        Absent,

        /// <summary>Integer cents, with the dollars as a twin.</summary>
        Price,

        /// <summary>Integer contracts.</summary>
        Count,

        /// <summary>Levels of both, with dollars and integer contracts as a twin.</summary>
        Levels,
    }

    private readonly record struct Rule(Form Form, string Key = "", string Twin = "");

    /// <summary>What is not listed stays as it is.</summary>
    private static readonly FrozenDictionary<string, Rule> Rules = new Dictionary<string, Rule>
    {
        ["yes_dollars_fp"] = new(Form.Levels, "yes", "yes_dollars"),
        ["no_dollars_fp"] = new(Form.Levels, "no", "no_dollars"),
        ["price_dollars"] = new(Form.Price, "price", "price_dollars"),
        ["yes_bid_dollars"] = new(Form.Price, "yes_bid", "yes_bid_dollars"),
        ["yes_ask_dollars"] = new(Form.Price, "yes_ask", "yes_ask_dollars"),
        ["yes_price_dollars"] = new(Form.Price, "yes_price", "yes_price_dollars"),
        ["no_price_dollars"] = new(Form.Price, "no_price", "no_price_dollars"),
        ["delta_fp"] = new(Form.Count, "delta"),
        ["count_fp"] = new(Form.Count, "count"),
        ["volume_fp"] = new(Form.Count, "volume"),
        ["open_interest_fp"] = new(Form.Count, "open_interest"),
        ["yes_bid_size_fp"] = default,
        ["yes_ask_size_fp"] = default,
        ["last_trade_size_fp"] = default,
        ["taker_outcome_side"] = default,
        ["taker_book_side"] = default,
        ["is_block_trade"] = default,
        ["ts_ms"] = default,
        ["time"] = default,
        ["settlement_value"] = default,
        ["exchange_index"] = default,
        ["price_level_structure"] = default,
        ["price_ranges"] = default,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <param name="message">A fixed-point <c>msg</c>.</param>
    /// <param name="clock">What <c>Clock</c> carries, an opaque number; null where there is none.</param>
    /// <param name="text">Room for the result.</param>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> message, long? clock, FrameText text)
    {
        var reader = new Utf8JsonReader(message);
        reader.Read();
        text.Clear().Raw((byte)'{');
        bool first = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            bool listed = Rules.TryGetValue(key, out var rule);
            if (listed && rule.Form == Form.Absent)
            {
                reader.Skip();
                continue;
            }

            if (!first) text.Raw((byte)',');
            first = false;
            if (listed && reader.TokenType != JsonTokenType.Null) Write(text, rule, message, ref reader);
            else text.String(key).Raw((byte)':').Raw(Value(message, ref reader));
        }

        if (clock is { } ticks) text.Raw(",\"Clock\":"u8).Number(ticks);
        return text.Raw((byte)'}').Written;
    }

    private static void Write(FrameText text, Rule rule, ReadOnlySpan<byte> message, ref Utf8JsonReader reader)
    {
        text.String(rule.Key).Raw((byte)':');
        switch (rule.Form)
        {
            case Form.Price:
                WriteCents(text, reader.ValueSpan);
                text.Raw((byte)',').String(rule.Twin).Raw(":\""u8).Raw(reader.ValueSpan).Raw((byte)'"');
                break;
            case Form.Count:
                WriteContracts(text, reader.ValueSpan);
                break;
            default:
                var levels = Value(message, ref reader);
                WriteLevels(text, levels, inCents: true);
                WriteLevels(text.Raw((byte)',').String(rule.Twin).Raw((byte)':'), levels, inCents: false);
                break;
        }
    }

    private static void WriteLevels(FrameText text, ReadOnlySpan<byte> levels, bool inCents)
    {
        var reader = new Utf8JsonReader(levels);
        reader.Read();
        text.Raw((byte)'[');
        for (bool first = true; reader.Read() && reader.TokenType == JsonTokenType.StartArray; first = false)
        {
            text.Raw(first ? "["u8 : ",["u8);
            reader.Read();
            if (inCents) WriteCents(text, reader.ValueSpan);
            else text.Raw((byte)'"').Raw(reader.ValueSpan).Raw((byte)'"');
            reader.Read();
            text.Raw((byte)',');
            WriteContracts(text, reader.ValueSpan);
            text.Raw((byte)']');
            reader.Read();
        }

        text.Raw((byte)']');
    }

    // Cents are hundredths of a price unit as contracts are of a count unit.
    private static void WriteCents(FrameText text, ReadOnlySpan<byte> dollars)
    {
        if (FixedPoint.TryParsePrice(dollars, out int price)) text.Hundredths(price);
        else text.Raw("null"u8);
    }

    private static void WriteContracts(FrameText text, ReadOnlySpan<byte> decimals)
    {
        if (FixedPoint.TryParseCount(decimals, out long count)) text.Hundredths(count);
        else text.Raw("null"u8);
    }

    private static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> message, ref Utf8JsonReader reader)
    {
        int start = (int)reader.TokenStartIndex;
        reader.Skip();
        return message[start..(int)reader.BytesConsumed];
    }
}
