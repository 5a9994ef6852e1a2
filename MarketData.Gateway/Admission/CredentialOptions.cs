namespace MarketData.Gateway.Admission;

/// <summary>Which credentials are asked for; configuration section <c>Authentication</c>.</summary>
public sealed class CredentialOptions
{
    public const string Section = "Authentication";

    /// <summary>
    /// Whether WebSocket clients, <c>/api</c> and <c>/stats</c> need an API key or a token. Default false. Said once and not taken from what is
    /// configured, so that a key that got lost opens nothing.
    /// </summary>
    public bool Enabled { get; set; }

    /// <summary>The API keys that are accepted, by name.</summary>
    public Dictionary<string, ApiKeyOptions> ApiKeys { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The tokens that are accepted.</summary>
    public JwtOptions Jwt { get; set; } = new();
}

/// <summary>What one caller may; null where the limits of section <c>Gateway</c> hold.</summary>
public class CallerLimits
{
    /// <summary>WebSocket connections at a time; null for no limit of its own.</summary>
    public int? MaxConnections { get; set; }

    /// <summary>Channels that one connection may subscribe.</summary>
    public int? MaxSubscriptions { get; set; }

    /// <summary>Requests a second of one connection, in the long run.</summary>
    public int? MessagesPerSecond { get; set; }
}

/// <summary>One API key, section <c>Authentication:ApiKeys:{name}</c>. The command <c>create-api-key</c> makes keys.</summary>
public sealed class ApiKeyOptions : CallerLimits
{
    /// <summary>SHA-256 of the key in 64 hexadecimal digits; the key itself is kept by its owner only.</summary>
    public string Sha256 { get; set; } = "";
}

/// <summary>
/// Which JSON web tokens (RFC 7519) are accepted, section <c>Authentication:Jwt</c>: those that the keys of an authority sign, or one key of
/// our own. The limits are those of each subject.
/// </summary>
public sealed class JwtOptions : CallerLimits
{
    /// <summary>URL of an OpenID Connect issuer, whose signing keys are read from its metadata.</summary>
    public string? Authority { get; set; }

    /// <summary>A secret of at least 32 bytes in base64 that signs tokens with HMAC-SHA-256. Never logged.</summary>
    public string? SigningKey { get; set; }

    /// <summary>The <c>iss</c> that tokens must have; the authority's own when there is one.</summary>
    public string? Issuer { get; set; }

    /// <summary>The <c>aud</c> that tokens must have.</summary>
    public string? Audience { get; set; }

    /// <summary>Whether tokens are accepted at all.</summary>
    public bool IsConfigured => !string.IsNullOrEmpty(Authority) || !string.IsNullOrEmpty(SigningKey);
}
