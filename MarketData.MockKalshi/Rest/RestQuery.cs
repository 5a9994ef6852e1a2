using System.Buffers.Text;
using System.Globalization;
using System.Text;
using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Rest;

/// <summary>Reads a request's query. An empty value counts as absent; a wrong one throws a <see cref="BadRequestException"/>.</summary>
internal readonly struct RestQuery(IQueryCollection query)
{
    public string? Text(string name) => query[name].ToString() is { Length: > 0 } text ? text : null;

    public long? Integer(string name)
    {
        if (Text(name) is not { } text) return null;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw new BadRequestException($"{name} must be an integer, not {text}");
    }

    /// <summary>An integer from 0 to <paramref name="max"/>; 0 when absent.</summary>
    public int Bounded(string name, int max)
    {
        long value = Integer(name) ?? 0;
        return value >= 0 && value <= max ? (int)value : throw new BadRequestException($"{name} must be between 0 and {max}, not {value}");
    }

    /// <summary>The size of a page; a <c>limit</c> of 0 means the default.</summary>
    public int Limit(int defaultLimit, int max) => Bounded("limit", max) is > 0 and var limit ? limit : defaultLimit;

    /// <summary>Null when absent.</summary>
    public bool? Flag(string name)
    {
        if (Text(name) is not { } text) return null;
        return bool.TryParse(text, out bool value) ? value : throw new BadRequestException($"{name} must be true or false, not {text}");
    }

    /// <summary>Values apart by commas, or in several parameters of one name; null when absent.</summary>
    public IReadOnlyList<string>? List(string name) => Text(name)?.Split(',', StringSplitOptions.RemoveEmptyEntries);

    public TimeInterval Interval(string min, string max) => new(Integer(min), Integer(max));

    /// <summary>What <see cref="CursorAfter"/> was given; null on the first page.</summary>
    public string? Cursor()
    {
        if (Text("cursor") is not { } cursor) return null;
        try
        {
            return Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor));
        }
        catch (FormatException)
        {
            throw WrongCursor();
        }
    }

    /// <summary>The cursor of a listing that continues after an id.</summary>
    public Guid? IdCursor()
    {
        if (Cursor() is not { } text) return null;
        return Guid.TryParseExact(text, "D", out var id) ? id : throw WrongCursor();
    }

    /// <summary>The cursor that continues after an entry: opaque to clients.</summary>
    public static string CursorAfter(string entry) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(entry));

    private static BadRequestException WrongCursor() => new("cursor must be one that an earlier answer of this listing gave");
}
