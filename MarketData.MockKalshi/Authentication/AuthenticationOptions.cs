namespace MarketData.MockKalshi.Authentication;

/// <summary>Whether and how requests must be signed (protocol reference, section 1.2), section <c>Authentication</c>.</summary>
internal sealed class AuthenticationOptions
{
    public const string Section = "Authentication";

    /// <summary>
    /// A directory with one file <c>{key-id}.pem</c> for each key. Read at every signed request: a key counts from the moment its file is
    /// there and until it is gone. Default none: nothing needs a signature.
    /// </summary>
    public string? KeysDirectory { get; set; }

    /// <summary>
    /// How far a request's timestamp may be from this machine's clock, either way. Default 20 s: the exchange was seen to accept 10 s and to
    /// refuse 30 s.
    /// </summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// A WebSocket that presents no key is accepted for the public channels, as the exchange did until early 2026; private channels answer
    /// error 9. Default false: it is refused with 401.
    /// </summary>
    public bool AllowAnonymous { get; set; }

    public bool Enabled => !string.IsNullOrEmpty(KeysDirectory);
}
