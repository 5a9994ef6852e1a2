using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace MarketData.Gateway.Admission;

/// <summary>Sets the standard token handler to <see cref="JwtOptions"/>.</summary>
internal static class JwtServices
{
    private static readonly TimeSpan AuthorityTimeout = TimeSpan.FromSeconds(5), ClockSkew = TimeSpan.FromSeconds(30);

    public static void AddTokens(this IServiceCollection services)
    {
        services.AddAuthentication().AddJwtBearer();
        services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme).Configure<IOptions<CredentialOptions>>((bearer, credentials) => Configure(bearer, credentials.Value.Jwt));
    }

    private static void Configure(JwtBearerOptions bearer, JwtOptions jwt)
    {
        bearer.Authority = jwt.Authority;
        // The options were checked: http only to this machine.
        bearer.RequireHttpsMetadata = false;
        bearer.BackchannelTimeout = AuthorityTimeout;
        bearer.MapInboundClaims = false;
        bearer.TokenValidationParameters = new TokenValidationParameters
        {
            ValidAudience = jwt.Audience,
            ValidIssuer = jwt.Issuer,
            IssuerSigningKey = string.IsNullOrEmpty(jwt.SigningKey) ? null : new SymmetricSecurityKey(Convert.FromBase64String(jwt.SigningKey)),
            ClockSkew = ClockSkew,
        };
        bearer.Events = new JwtBearerEvents { OnMessageReceived = TakeToken };
    }

    // The handler itself would look into the header only, and at API keys too.
    private static Task TakeToken(MessageReceivedContext context)
    {
        if (Credential.Of(context.Request) is { } credential && Credential.IsToken(credential)) context.Token = credential;
        else context.NoResult();
        return Task.CompletedTask;
    }
}
