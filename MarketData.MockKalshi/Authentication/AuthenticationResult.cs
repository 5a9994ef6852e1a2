using System.Text.Json;

namespace MarketData.MockKalshi.Authentication;

/// <summary>Who sent a request, or why nobody is believed to have.</summary>
/// <param name="Customer">The key id, or <c>default</c> when no signature is needed; null when the request is refused.</param>
/// <param name="Details">What a refusal's body calls the reason, for example <c>NOT_FOUND</c>; null when it has none.</param>
internal readonly record struct AuthenticationResult(string? Customer, string? Details)
{
    /// <summary>The error code of a refusal's body.</summary>
    public string Code { get; private init; } = "authentication_error";

    public static AuthenticationResult Accepted(string customer) => new(customer, null);

    public static AuthenticationResult Refused(string details) => new(null, details);

    /// <summary>A clock too far off has a code of its own, without details.</summary>
    public static AuthenticationResult Expired() => new(null, null) { Code = "header_timestamp_expired" };

    /// <summary>Answers a refused request with 401 and the body that the exchange was seen to send (protocol reference, section 1.2).</summary>
    public async Task WriteAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteString("code", Code);
        if (Details is not null) json.WriteString("details", Details);
        json.WriteEndObject();
    }
}
