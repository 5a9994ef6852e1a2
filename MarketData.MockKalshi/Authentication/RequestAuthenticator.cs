using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace MarketData.MockKalshi.Authentication;

/// <summary>
/// Checks the signature of a request (protocol reference, section 1.2): RSA-PSS with SHA-256 and a salt of 32 bytes over
/// <c>timestamp + METHOD + path</c>, the path without its query. Thread-safe.
/// </summary>
internal sealed partial class RequestAuthenticator(
    IOptions<AuthenticationOptions> options, TimeProvider timeProvider, ILogger<RequestAuthenticator> logger)
{
    /// <summary>Whose requests are when nothing needs a signature.</summary>
    public const string DefaultCustomer = "default";

    public const string KeyHeader = "KALSHI-ACCESS-KEY", TimestampHeader = "KALSHI-ACCESS-TIMESTAMP", SignatureHeader = "KALSHI-ACCESS-SIGNATURE";

    private const string MissingHeader = "MISSING_HEADER", NotFound = "NOT_FOUND", BadSignature = "INCORRECT_API_KEY_SIGNATURE";

    /// <summary>What is wrong is logged in one line; the answer to the client says less.</summary>
    public AuthenticationResult Authenticate(HttpRequest request)
    {
        if (options.Value.KeysDirectory is not { Length: > 0 } directory) return AuthenticationResult.Accepted(DefaultCustomer);

        string keyId = request.Headers[KeyHeader].ToString(), timestamp = request.Headers[TimestampHeader].ToString();
        string signature = request.Headers[SignatureHeader].ToString();
        if (keyId.Length == 0 || timestamp.Length == 0 || signature.Length == 0)
            return Refuse(request, AuthenticationResult.Refused(MissingHeader), $"it needs {KeyHeader}, {TimestampHeader} and {SignatureHeader}");
        if (!KeysDirectory.IsWellFormed(keyId))
            return Refuse(request, AuthenticationResult.Refused(NotFound), "its key id is not made of letters, digits, hyphens and underscores");
        if (SkewProblem(timestamp) is { } skewed) return Refuse(request, AuthenticationResult.Expired(), skewed);

        using var key = KeysDirectory.Find(directory, keyId, out string? problem);
        if (key is null) return Refuse(request, AuthenticationResult.Refused(NotFound), problem!);

        string signed = timestamp + request.Method + PathOf(request);
        if (!Verifies(key, signed, signature))
            return Refuse(request, AuthenticationResult.Refused(BadSignature), $"key {keyId} did not sign {signed} with RSA-PSS, SHA-256 and a salt of 32 bytes");
        return AuthenticationResult.Accepted(keyId);
    }

    private string? SkewProblem(string timestamp)
    {
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out long sent))
            return $"{TimestampHeader} is not a number of milliseconds";
        double skew = Math.Abs((double)timeProvider.GetUtcNow().ToUnixTimeMilliseconds() - sent) / 1000;
        double allowed = options.Value.ClockSkew.TotalSeconds;
        return skew <= allowed
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"its timestamp is {skew:0.###} s from this clock and may be {allowed:0.###} s");
    }

    private static bool Verifies(RSA key, string signed, string signature)
    {
        byte[] decoded = new byte[signature.Length];
        return Convert.TryFromBase64String(signature, decoded, out int length)
            && key.VerifyData(Encoding.UTF8.GetBytes(signed), decoded.AsSpan(0, length), HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
    }

    /// <summary>As it stood in the request line, still encoded, because that is what the client signed.</summary>
    private static string PathOf(HttpRequest request)
    {
        string target = request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        int query = target.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? target : target[..query];
    }

    private AuthenticationResult Refuse(HttpRequest request, AuthenticationResult refusal, string reason)
    {
        LogRefused(request.Method, PathOf(request), reason);
        return refusal;
    }

    [LoggerMessage(1, LogLevel.Warning, "Refused {Method} {Path} with 401: {Reason}")]
    private partial void LogRefused(string method, string path, string reason);
}
