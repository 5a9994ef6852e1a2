using System.Text.Json;
using MarketData.Domain.Books;
using MarketData.Domain.Numbers;

namespace MarketData.Domain.Frames;

/// <summary>Reads the levels of a snapshot frame into a book.</summary>
public static class SnapshotReader
{
    /// <summary>
    /// Replaces the book with a snapshot's levels, in whatever order they come. False when a level is unreadable or a price comes
    /// twice; the book is empty then.
    /// </summary>
    /// <param name="bytes">The buffer that the frame was parsed from.</param>
    /// <param name="levels">The parsed frame's <see cref="ExchangeFrame.Levels"/>.</param>
    /// <param name="book">The book to replace.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, in SnapshotLevels levels, OrderBook book)
    {
        book.Clear();
        if (TryReadSide(bytes, levels.Yes, levels.YesForm, Side.Yes, book) && TryReadSide(bytes, levels.No, levels.NoForm, Side.No, book)) return true;
        book.Clear();
        return false;
    }

    private static bool TryReadSide(ReadOnlySpan<byte> bytes, ByteRange range, LevelForm form, Side side, OrderBook book)
    {
        if (form == LevelForm.Absent) return true;
        var reader = new Utf8JsonReader(range.Of(bytes));
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray) return false;
        while (reader.Read() && reader.TokenType == JsonTokenType.StartArray)
        {
            if (!TryReadPrice(ref reader, form, out int price) || !TryReadCount(ref reader, form, out long count)) return false;
            if (!reader.Read() || reader.TokenType != JsonTokenType.EndArray) return false;
            if (count < 0 || book.CountAt(side, price) != 0 || !book.TryApply(side, price, count)) return false;
        }

        return reader.TokenType == JsonTokenType.EndArray;
    }

    private static bool TryReadPrice(ref Utf8JsonReader reader, LevelForm form, out int price)
    {
        price = 0;
        if (!reader.Read()) return false;
        if (form != LevelForm.Cents) return reader.TokenType == JsonTokenType.String && FixedPoint.TryParsePrice(reader.ValueSpan, out price);
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out int cents) || cents is < 0 or > 100) return false;
        price = cents * (FixedPoint.PriceScale / 100);
        return true;
    }

    private static bool TryReadCount(ref Utf8JsonReader reader, LevelForm form, out long count)
    {
        count = 0;
        if (!reader.Read()) return false;
        if (form == LevelForm.FixedPoint) return reader.TokenType == JsonTokenType.String && FixedPoint.TryParseCount(reader.ValueSpan, out count);
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long contracts)) return false;
        if (contracts is < 0 or > FixedPoint.MaxContracts) return false;
        count = contracts * FixedPoint.CountScale;
        return true;
    }
}
