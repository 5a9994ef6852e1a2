using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace MarketData.Gateway.Admission;

/// <summary>Finds out who a request comes from. Credentials are never logged. Thread-safe.</summary>
internal sealed partial class Authenticator(
    IOptions<CredentialOptions> options, ApiKeyRing keys, IOptionsMonitor<JwtBearerOptions> bearer, ILogger<Authenticator> logger)
{
    private static readonly Refusal Silent = new(
        RefusalReason.Authority, StatusCodes.Status503ServiceUnavailable, "The token cannot be verified now: its authority does not answer.")
    { RetryAfter = 5 };

    public async ValueTask<Decision<Caller>> AuthenticateAsync(HttpContext context)
    {
        if (!options.Value.Enabled) return Caller.Anonymous;
        if (Credential.Of(context.Request) is not { } credential) return Unauthorized($"A credential is required: {Credential.Rule}");
        if (keys.Find(credential) is { } owner) return owner;
        if (!options.Value.Jwt.IsConfigured || !Credential.IsToken(credential)) return Unauthorized($"The API key is not known. Ask for one, and {Credential.Rule}");
        return await AuthenticateTokenAsync(context);
    }

    private async ValueTask<Decision<Caller>> AuthenticateTokenAsync(HttpContext context)
    {
        // First: without the authority's keys every token would look forged.
        if (await IsAuthoritySilentAsync(context.RequestAborted)) return Silent;
        var result = await context.AuthenticateAsync(JwtBearerDefaults.AuthenticationScheme);
        if (!result.Succeeded) return Unauthorized(ErrorOf(result.Failure));
        if (result.Principal.FindFirst("sub")?.Value is not { Length: > 0 } subject) return Unauthorized("The token has no subject: it needs a claim sub.");
        return new Caller($"subject {subject}", options.Value.Jwt) { ValidUntil = result.Properties.ExpiresUtc };
    }

    private async ValueTask<bool> IsAuthoritySilentAsync(CancellationToken cancellationToken)
    {
        if (bearer.Get(JwtBearerDefaults.AuthenticationScheme).ConfigurationManager is not { } metadata) return false;
        try
        {
            // Cached by the manager, which also says when to ask again.
            await metadata.GetConfigurationAsync(cancellationToken);
            return false;
        }
        catch (InvalidOperationException exception)
        {
            LogSilent(options.Value.Jwt.Authority, exception.Message);
            return true;
        }
    }

    private string ErrorOf(Exception? failure) => failure switch
    {
        SecurityTokenExpiredException => "The token has expired: connect with a new one.",
        SecurityTokenInvalidAudienceException => $"The token is for another audience: its aud must be '{options.Value.Jwt.Audience}'.",
        SecurityTokenInvalidIssuerException => "The token comes from an issuer that is not accepted here.",
        _ => "The token is not valid: it is no JSON web token that an accepted key has signed.",
    };

    private static Refusal Unauthorized(string error) => new(RefusalReason.Credential, StatusCodes.Status401Unauthorized, error);

    [LoggerMessage(40, LogLevel.Warning, "Tokens cannot be verified: {Authority} does not tell its keys: {Reason} Clients with tokens are refused with 503.")]
    private partial void LogSilent(string? authority, string reason);
}
