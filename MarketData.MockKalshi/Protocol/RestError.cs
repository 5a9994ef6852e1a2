using System.Text.Json;

namespace MarketData.MockKalshi.Protocol;

/// <summary>Error answers in the nested shape of live servers (protocol reference, section 3).</summary>
internal static class RestError
{
    /// <param name="context">The request; its response has not begun.</param>
    /// <param name="status">HTTP status.</param>
    /// <param name="code">Machine-readable, snake case.</param>
    /// <param name="message">Names what is wrong and what would be right.</param>
    public static async Task WriteAsync(HttpContext context, int status, string code, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter);
        writer.WriteStartObject();
        writer.WriteStartObject("error");
        writer.WriteString("code", code);
        writer.WriteString("message", message);
        writer.WriteString("service", "exchange");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
