using System.Text;
using System.Text.Json;
using MarketData.Domain.Numbers;
using Microsoft.AspNetCore.Http.Features;

namespace MarketData.MockKalshi.Rest;

/// <summary>
/// Reads the fields of a request's JSON object. Null counts as absent; a field of the wrong form throws a
/// <see cref="BadRequestException"/> that names it.
/// </summary>
internal sealed class JsonBody
{
    /// <summary>Far above any order.</summary>
    private const int MaxBytes = 65_536;

    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false };

    private readonly JsonElement _object;

    private JsonBody(JsonElement element) => _object = element;

    /// <exception cref="BadRequestException">The body is not one JSON object.</exception>
    /// <exception cref="BadHttpRequestException">It is too long.</exception>
    public static async Task<JsonBody> ReadAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = MaxBytes;
        try
        {
            using var document = await JsonDocument.ParseAsync(context.Request.Body, Options, context.RequestAborted);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new BadRequestException("the body must be a JSON object");
            return new JsonBody(document.RootElement.Clone());
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The second is how the parser meets half of a surrogate pair, escaped, in a field's name.
            throw new BadRequestException($"the body must be a JSON object: {exception.Message}");
        }
    }

    public bool Has(string name) => Find(name) is not null;

    /// <summary>Not empty; null when absent.</summary>
    public string? Text(string name)
    {
        if (Find(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.String) throw Wrong(name, "a string", value);
        try
        {
            return value.GetString() is { Length: > 0 } text ? text : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, escaped: well-formed JSON that no text stands for.
            throw new BadRequestException($"{name} must be text in Unicode");
        }
    }

    public long? Integer(string name)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long integer) ? integer : throw Wrong(name, "an integer", value);
    }

    public bool? Flag(string name) => Find(name) is not { } value ? null : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, "true or false", value),
    };

    /// <summary>A price between 0 and 1 dollar in a string such as "0.4800", in 1/10,000 dollar.</summary>
    public int? Dollars(string name)
    {
        if (Text(name) is not { } text) return null;
        bool isPrice = FixedPoint.TryParsePrice(Encoding.UTF8.GetBytes(text), out int price) && price is > 0 and < FixedPoint.PriceScale;
        return isPrice ? price : throw new BadRequestException($"{name} must be a price above 0 and below 1 dollar such as \"0.4800\", not {Shown(text)}");
    }

    /// <summary>A count in a string such as "10.00", in 1/100 contract.</summary>
    public long? Count(string name)
    {
        if (Text(name) is not { } text) return null;
        return FixedPoint.TryParseCount(Encoding.UTF8.GetBytes(text), out long count)
            ? count
            : throw new BadRequestException($"{name} must be a count of contracts with at most two decimals such as \"10.00\", not {Shown(text)}");
    }

    /// <summary>One of the words, as the value that stands beside it; null when absent.</summary>
    public T? OneOf<T>(string name, params ReadOnlySpan<(string Word, T Value)> choices) where T : struct
    {
        if (Text(name) is not { } text) return null;
        foreach (var (word, value) in choices)
            if (word == text) return value;

        var words = new List<string>();
        foreach (var (word, _) in choices) words.Add(word);
        throw new BadRequestException($"{name} must be one of {string.Join(", ", words)}, not {Shown(text)}");
    }

    /// <summary>The answer to a field that must be there and is not.</summary>
    public static BadRequestException Missing(string name) => new($"{name} is required", BadRequestException.Missing);

    private JsonElement? Find(string name) =>
        _object.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static BadRequestException Wrong(string name, string right, JsonElement value) =>
        new($"{name} must be {right}, not {Shown(value.GetRawText())}");

    private static string Shown(string text) => text.Length <= 40 ? text : $"{text[..40]}…";
}
