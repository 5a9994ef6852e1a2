using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using MarketData.Domain.Numbers;

namespace MarketData.MockKalshi.Rest;

/// <summary>Answers in the exchange's JSON: how text is escaped, and the forms of prices, counts and times.</summary>
internal static class JsonAnswer
{
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.FFFFFFZ";

    // As the exchange writes: text such as a middle dot or an apostrophe stays as it is.
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Begins the response; its body is what the caller writes until it disposes the writer.</summary>
    public static Utf8JsonWriter Begin(HttpContext context, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return new Utf8JsonWriter(context.Response.BodyWriter, WriterOptions);
    }

    public static void WriteTime(this Utf8JsonWriter json, string name, DateTimeOffset time) =>
        json.WriteString(name, time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture));

    /// <param name="json">Positioned where a field goes.</param>
    /// <param name="name">The field.</param>
    /// <param name="price">1/10,000 dollar.</param>
    public static void WritePrice(this Utf8JsonWriter json, string name, int price)
    {
        Span<byte> text = stackalloc byte[FixedPoint.MaxFormattedLength];
        json.WriteString(name, text[..FixedPoint.FormatPrice(price, text)]);
    }

    /// <param name="json">Positioned where a field goes.</param>
    /// <param name="name">The field.</param>
    /// <param name="count">1/100 contract.</param>
    public static void WriteCount(this Utf8JsonWriter json, string name, long count)
    {
        Span<byte> text = stackalloc byte[FixedPoint.MaxFormattedLength];
        json.WriteString(name, text[..FixedPoint.FormatCount(count, text)]);
    }

    /// <summary>Money with six decimals, as the exchange writes results of a multiplication.</summary>
    /// <param name="json">Positioned where a field goes.</param>
    /// <param name="name">The field.</param>
    /// <param name="amount">1/1,000,000 dollar.</param>
    public static void WriteMoney(this Utf8JsonWriter json, string name, long amount) =>
        json.WriteString(name, string.Create(CultureInfo.InvariantCulture, $"{amount / 1_000_000m:F6}"));
}
