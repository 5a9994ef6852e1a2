using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>An OpenID Connect issuer as far as a gateway asks it: its metadata and its public key.</summary>
internal sealed class TokenAuthority : IAsyncDisposable
{
    private const string KeyId = "current";
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly WebApplication _app;

    private TokenAuthority()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        _app = builder.Build();
        var point = _key.ExportParameters(includePrivateParameters: false).Q;
        _app.MapGet("/.well-known/openid-configuration", () => Results.Json(new { issuer = Address, jwks_uri = $"{Address}/keys" }));
        _app.MapGet("/keys", () => Results.Json(
            new { keys = new[] { new { kty = "EC", crv = "P-256", use = "sig", kid = KeyId, x = Base64Url.EncodeToString(point.X), y = Base64Url.EncodeToString(point.Y) } } }));
    }

    public string Address => _app.Urls.First();

    public static async Task<TokenAuthority> StartAsync()
    {
        var authority = new TokenAuthority();
        await authority._app.StartAsync(TestContext.Current.CancellationToken);
        return authority;
    }

    public string Token(string subject, string audience) => TokenIssuer.Sign(
        $$"""{"alg":"ES256","typ":"JWT","kid":"{{KeyId}}"}""",
        TokenIssuer.Claims(subject, Address, audience, TimeSpan.FromMinutes(10)),
        text => _key.SignData(text, HashAlgorithmName.SHA256));

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
    }
}
