using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Admission;

/// <summary>What makes <see cref="CredentialOptions"/> wrong.</summary>
internal sealed class CredentialRules : IValidateOptions<CredentialOptions>
{
    // RFC 7518, section 3.2: a key for HS256 has the size of the hash or more.
    private const int MinSigningKeyBytes = SHA256.HashSizeInBytes;
    private const int MaxLimit = 1_000_000;

    public ValidateOptionsResult Validate(string? name, CredentialOptions options)
    {
        string[] failures = [.. Failures(options), .. JwtFailures(options.Jwt), .. options.ApiKeys.SelectMany(key => KeyFailures(key.Key, key.Value))];
        return failures.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static IEnumerable<string> Failures(CredentialOptions options)
    {
        bool isConfigured = options.ApiKeys.Count > 0 || options.Jwt.IsConfigured;
        if (options.Enabled && !isConfigured)
            yield return "Authentication:Enabled is true, but nobody could connect: set Authentication:ApiKeys:{name}:Sha256, Authentication:Jwt:Authority or Authentication:Jwt:SigningKey.";
        if (!options.Enabled && isConfigured)
            yield return "Authentication:ApiKeys or Authentication:Jwt is set, but Authentication:Enabled is false, so everybody could connect: set it to true, or remove them.";
    }

    private static IEnumerable<string> KeyFailures(string name, ApiKeyOptions key)
    {
        if (key.Sha256.Length != 2 * SHA256.HashSizeInBytes || !key.Sha256.All(char.IsAsciiHexDigit))
            yield return $"Authentication:ApiKeys:{name}:Sha256 must be 64 hexadecimal digits, as {CreateApiKeyCommand.Name} prints them.";
        foreach (var failure in LimitFailures($"Authentication:ApiKeys:{name}", key)) yield return failure;
    }

    private static IEnumerable<string> JwtFailures(JwtOptions jwt)
    {
        if (!jwt.IsConfigured) yield break;
        if (string.IsNullOrEmpty(jwt.Audience))
            yield return "Authentication:Jwt:Audience is not set: without it a token for any other service would do.";
        if (!string.IsNullOrEmpty(jwt.Authority) && !IsSafe(jwt.Authority))
            yield return $"Authentication:Jwt:Authority is '{jwt.Authority}', but must be an https URL, or http on this machine.";
        if (!string.IsNullOrEmpty(jwt.SigningKey) && !IsSigningKey(jwt.SigningKey))
            yield return $"Authentication:Jwt:SigningKey must be at least {MinSigningKeyBytes} bytes in base64, such as 'openssl rand -base64 {MinSigningKeyBytes}' prints.";
        if (!string.IsNullOrEmpty(jwt.SigningKey) && string.IsNullOrEmpty(jwt.Issuer))
            yield return "Authentication:Jwt:Issuer is not set: with Authentication:Jwt:SigningKey it says whose tokens are accepted.";
        foreach (var failure in LimitFailures("Authentication:Jwt", jwt)) yield return failure;
    }

    private static IEnumerable<string> LimitFailures(string section, CallerLimits limits)
    {
        (string Key, int? Value)[] values =
        [
            (nameof(limits.MaxConnections), limits.MaxConnections),
            (nameof(limits.MaxSubscriptions), limits.MaxSubscriptions),
            (nameof(limits.MessagesPerSecond), limits.MessagesPerSecond),
        ];
        return values.Where(limit => limit.Value is < 1 or > MaxLimit).Select(limit => $"{section}:{limit.Key} must be 1 to {MaxLimit}.");
    }

    private static bool IsSafe(string authority) =>
        Uri.TryCreate(authority, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));

    private static bool IsSigningKey(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out int length) && length >= MinSigningKeyBytes;
    }
}
