using System.Buffers.Text;

namespace MarketData.Domain.Numbers;

/// <summary>
/// Exact reading and writing of the exchange's decimal text. Prices are integers in 1/10,000 dollar, counts are integers in
/// 1/100 contract; no binary floating point is involved.
/// </summary>
public static class FixedPoint
{
    /// <summary>Price units in a dollar.</summary>
    public const int PriceScale = 10_000;

    /// <summary>Count units in a contract.</summary>
    public const int CountScale = 100;

    /// <summary>The most contracts in one number: far above any real size, and scaled still far inside a <see cref="long"/>.</summary>
    public const long MaxContracts = 999_999_999_999_999;

    /// <summary>The largest count that text can carry, in 1/100 contract.</summary>
    public const long MaxCount = MaxContracts * CountScale + CountScale - 1;

    /// <summary>The longest text that <see cref="FormatPrice"/> or <see cref="FormatCount"/> writes, in bytes.</summary>
    public const int MaxFormattedLength = 24;

    private const int PriceDigits = 4, CountDigits = 2;

    // As many digits as MaxContracts has.
    private const int MaxWholeDigits = 15;

    /// <summary>
    /// Reads a price in dollars ("0.48", "0.4800", "1"): no decimals or one to six, of which those past the fourth must be zero.
    /// False for anything else, for signed prices and for prices above one dollar.
    /// </summary>
    public static bool TryParsePrice(ReadOnlySpan<byte> text, out int price)
    {
        bool ok = TryParse(text, PriceDigits, out long value) && text[0] != '-' && value <= PriceScale;
        price = ok ? (int)value : 0;
        return ok;
    }

    /// <summary>
    /// Reads a contract count or a signed change of one ("31.54", "-6674.00", "20"): no more than two decimals that are not zero.
    /// </summary>
    public static bool TryParseCount(ReadOnlySpan<byte> text, out long count) => TryParse(text, CountDigits, out count);

    /// <summary>Writes a price with four decimals ("0.4800") and returns the number of bytes written.</summary>
    /// <param name="price">1/10,000 dollar, not negative.</param>
    /// <param name="destination">At least <see cref="MaxFormattedLength"/> bytes.</param>
    public static int FormatPrice(int price, Span<byte> destination) => Format(price, PriceDigits, PriceScale, destination);

    /// <summary>Writes a count with two decimals ("31.54", "-1.00") and returns the number of bytes written.</summary>
    /// <param name="count">1/100 contract.</param>
    /// <param name="destination">At least <see cref="MaxFormattedLength"/> bytes.</param>
    public static int FormatCount(long count, Span<byte> destination) => Format(count, CountDigits, CountScale, destination);

    private static bool TryParse(ReadOnlySpan<byte> text, int digits, out long value)
    {
        value = 0;
        bool negative = !text.IsEmpty && text[0] == '-';
        if (negative) text = text[1..];
        int point = text.IndexOf((byte)'.');
        var whole = point < 0 ? text : text[..point];
        if (whole.IsEmpty || whole.Length > MaxWholeDigits) return false;
        foreach (byte c in whole)
        {
            if ((uint)(c - '0') > 9) return false;
            value = value * 10 + (c - '0');
        }

        var fraction = point < 0 ? default : text[(point + 1)..];
        if (point >= 0 && (fraction.IsEmpty || fraction.Length > 6)) return false;
        for (int i = 0; i < Math.Max(digits, fraction.Length); i++)
        {
            int digit = i < fraction.Length ? fraction[i] - '0' : 0;
            if ((uint)digit > 9 || (i >= digits && digit != 0)) return false;
            if (i < digits) value = value * 10 + digit;
        }

        if (negative) value = -value;
        return true;
    }

    private static int Format(long value, int digits, int scale, Span<byte> destination)
    {
        int length = 0;
        if (value < 0)
        {
            destination[length++] = (byte)'-';
            value = -value;
        }

        Utf8Formatter.TryFormat(value / scale, destination[length..], out int written);
        length += written;
        destination[length++] = (byte)'.';
        long fraction = value % scale;
        for (int i = digits - 1; i >= 0; i--)
        {
            destination[length + i] = (byte)('0' + fraction % 10);
            fraction /= 10;
        }

        return length + digits;
    }
}
