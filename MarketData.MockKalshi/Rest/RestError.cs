namespace MarketData.MockKalshi.Rest;

/// <summary>Error answers in the nested shape of live servers (protocol reference, section 3).</summary>
internal static class RestError
{
    /// <param name="context">The request; its response has not begun.</param>
    /// <param name="status">HTTP status.</param>
    /// <param name="code">Machine-readable, snake case.</param>
    /// <param name="message">Names what is wrong and what would be right.</param>
    /// <param name="details">Where the exchange says more, in its own words; null without.</param>
    public static async Task WriteAsync(HttpContext context, int status, string code, string message, string? details = null)
    {
        await using var json = JsonAnswer.Begin(context, status);
        json.WriteStartObject();
        json.WriteStartObject("error");
        json.WriteString("code", code);
        json.WriteString("message", message);
        if (details is not null) json.WriteString("details", details);
        json.WriteString("service", "exchange");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>429, whose body is flat and tells no time to wait.</summary>
    public static async Task WriteTooManyRequestsAsync(HttpContext context)
    {
        await using var json = JsonAnswer.Begin(context, StatusCodes.Status429TooManyRequests);
        json.WriteStartObject();
        json.WriteString("error", "too many requests");
        json.WriteEndObject();
    }
}
