using System.Text.Json;
using MarketData.Domain.Books;
using MarketData.Domain.Frames;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Replay;

/// <summary>
/// Turns a recorded book frame, whose NO prices are NO prices, into what a subscriber with <c>use_yes_price</c> gets (protocol
/// reference, section 1.9): the NO prices become 1-p, every other byte stays.
/// </summary>
internal static class YesPriceForm
{
    /// <summary>Returns <paramref name="text"/> itself when nothing in it is on the NO side. Cents-era frames had no such form and stay.</summary>
    /// <param name="text">A book frame.</param>
    /// <param name="output">Room for the result.</param>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> text, FrameText output)
    {
        if (!ExchangeFrame.TryParse(text, out var frame, out _)) return text;
        if (frame.Delta is { Side: Side.No } delta)
        {
            var price = PriceToken(text);
            if (price.IsEmpty) return text;
            output.Clear().Raw(text[..price.Start]).Price(FixedPoint.PriceScale - delta.Price);
            return output.Raw(text[(price.Start + price.Length)..]).Written;
        }

        var levels = frame.Levels;
        var book = new OrderBook();
        if (levels.NoForm != LevelForm.FixedPoint || !SnapshotReader.TryRead(text, levels, book)) return text;
        output.Clear().Raw(text[..levels.No.Start]);
        MarketMessages.Levels(output, book.Levels(Side.No), mirror: true);
        return output.Raw(text[(levels.No.Start + levels.No.Length)..]).Written;
    }

    /// <summary>Where the string after <c>price_dollars</c> stands, with its quotes; empty when the frame has none.</summary>
    private static ByteRange PriceToken(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals("price_dollars"u8)) continue;
            reader.Read();
            return new ByteRange((int)reader.TokenStartIndex, (int)(reader.BytesConsumed - reader.TokenStartIndex));
        }

        return default;
    }
}
