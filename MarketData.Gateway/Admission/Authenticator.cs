using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace MarketData.Gateway.Admission;

/// <summary>Finds out who a request comes from. Credentials are never logged. Thread-safe.</summary>
internal sealed partial class Authenticator(IOptions<CredentialOptions> options, ApiKeyRing keys, ILogger<Authenticator> logger)
{
    private const int AuthorityRetrySeconds = 5;

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
        var result = await context.AuthenticateAsync(JwtBearerDefaults.AuthenticationScheme);
        if (!result.Succeeded) return Refuse(result.Failure);
        if (result.Principal.FindFirst("sub")?.Value is not { Length: > 0 } subject) return Unauthorized("The token has no subject: it needs a claim sub.");
        return new Caller($"subject {subject}", options.Value.Jwt) { ValidUntil = result.Properties.ExpiresUtc };
    }

    private Refusal Refuse(Exception? failure)
    {
        if (failure is SecurityTokenSignatureKeyNotFoundException or not SecurityTokenException && !string.IsNullOrEmpty(options.Value.Jwt.Authority))
            LogUnverified(failure?.Message);
        return failure switch
        {
            SecurityTokenExpiredException => Unauthorized("The token has expired: connect with a new one."),
            SecurityTokenInvalidAudienceException => Unauthorized($"The token is for another audience: its aud must be '{options.Value.Jwt.Audience}'."),
            SecurityTokenInvalidIssuerException => Unauthorized("The token comes from an issuer that is not accepted here."),
            SecurityTokenException or ArgumentException => Unauthorized("The token is not valid: it is no JSON web token that an accepted key has signed."),
            _ => new Refusal(RefusalReason.Authority, StatusCodes.Status503ServiceUnavailable, "The token cannot be verified now: its authority does not answer.")
            {
                RetryAfter = AuthorityRetrySeconds,
            },
        };
    }

    private static Refusal Unauthorized(string error) => new(RefusalReason.Credential, StatusCodes.Status401Unauthorized, error);

    [LoggerMessage(40, LogLevel.Warning, "A token could not be verified with the keys of Authentication:Jwt:Authority: {Reason}")]
    private partial void LogUnverified(string? reason);
}
