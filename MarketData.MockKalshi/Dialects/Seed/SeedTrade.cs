using System.Text.Json;
using MarketData.Domain.Numbers;

namespace MarketData.MockKalshi.Dialects.Seed;

/// <summary>What the seed dialect tells of a trade.</summary>
/// <param name="Id">Unique.</param>
/// <param name="Side">The outcome that the taker bought, <c>yes</c> or <c>no</c>.</param>
/// <param name="YesPrice">1/10,000 dollar.</param>
/// <param name="Count">1/100 contract.</param>
/// <param name="TimeMs">Unix milliseconds.</param>
internal readonly record struct SeedTrade(string Id, string Side, int YesPrice, long Count, long TimeMs)
{
    /// <param name="message">The <c>msg</c> of a fixed-point trade that this exchange composed.</param>
    public static SeedTrade Read(ReadOnlySpan<byte> message)
    {
        var trade = default(SeedTrade);
        var reader = new Utf8JsonReader(message);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            switch (key)
            {
                case "trade_id":
                    trade = trade with { Id = reader.GetString()! };
                    break;
                case "taker_side":
                    trade = trade with { Side = reader.GetString()! };
                    break;
                case "yes_price_dollars" when FixedPoint.TryParsePrice(reader.ValueSpan, out int price):
                    trade = trade with { YesPrice = price };
                    break;
                case "count_fp" when FixedPoint.TryParseCount(reader.ValueSpan, out long count):
                    trade = trade with { Count = count };
                    break;
                case "ts_ms":
                    trade = trade with { TimeMs = reader.GetInt64() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return trade;
    }
}
