using Microsoft.Net.Http.Headers;

namespace MarketData.Gateway.Admission;

/// <summary>What a request shows for itself: an API key or a token.</summary>
internal static class Credential
{
    public const string Header = "X-API-Key";

    /// <summary>For browsers, whose WebSockets cannot send headers.</summary>
    public const string QueryParameter = "api_key";

    /// <summary>Says what would be right, for the answer to a request without it.</summary>
    public const string Rule =
        $"send it as header '{Header}: KEY', as 'Authorization: Bearer KEY', or as query parameter {QueryParameter}=KEY.";

    private const string BearerPrefix = "Bearer ";

    /// <summary>The first that is there of header, bearer and query parameter; null when none is.</summary>
    public static string? Of(HttpRequest request)
    {
        if (request.Headers[Header] is [{ Length: > 0 } key]) return key;
        if (request.Headers[HeaderNames.Authorization] is [{ } authorization] && authorization.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase))
            return authorization[BearerPrefix.Length..].Trim();
        return request.Query[QueryParameter] is [{ Length: > 0 } parameter] ? parameter : null;
    }

    /// <summary>Whether a credential has the form of a token (RFC 7515, section 3.1) and not of a key.</summary>
    public static bool IsToken(string credential) => credential.AsSpan().Count('.') == 2;
}
