using System.Globalization;
using System.Text.Json;

namespace MarketData.Tests.Integration;

/// <summary>An order book as a user's program would keep it: decimals in sorted maps, straight from the frames' text.</summary>
internal sealed class ClientBook
{
    public SortedDictionary<decimal, decimal> Yes { get; } = [];

    public SortedDictionary<decimal, decimal> No { get; } = [];

    /// <summary>Applies the <c>msg</c> of a frame; types other than order-book frames change nothing.</summary>
    public void Apply(string type, JsonElement msg)
    {
        if (type == "orderbook_snapshot")
        {
            Fill(Yes, msg, "yes_dollars_fp");
            Fill(No, msg, "no_dollars_fp");
        }
        else if (type == "orderbook_delta")
        {
            var side = msg.GetProperty("side").GetString() == "yes" ? Yes : No;
            var price = Number(msg.GetProperty("price_dollars"));
            var size = side.GetValueOrDefault(price) + Number(msg.GetProperty("delta_fp"));
            Assert.True(size >= 0, $"A level fell to {size}.");
            if (size == 0) side.Remove(price);
            else side[price] = size;
        }
    }

    public override string ToString() => $"yes {Text(Yes)} no {Text(No)}";

    // The exchange leaves the key of an empty side out.
    private static void Fill(SortedDictionary<decimal, decimal> side, JsonElement msg, string key)
    {
        side.Clear();
        if (!msg.TryGetProperty(key, out var levels)) return;
        foreach (var level in levels.EnumerateArray()) side[Number(level[0])] = Number(level[1]);
    }

    private static decimal Number(JsonElement text) => decimal.Parse(text.GetString()!, CultureInfo.InvariantCulture);

    private static string Text(SortedDictionary<decimal, decimal> side) =>
        string.Join(' ', side.Select(level => string.Create(CultureInfo.InvariantCulture, $"{level.Key:0.0000}:{level.Value:0.00}")));
}
