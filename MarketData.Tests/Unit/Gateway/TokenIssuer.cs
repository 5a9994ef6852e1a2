using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>Signs JSON web tokens with HMAC-SHA-256, by RFC 7515 and 7519.</summary>
internal sealed class TokenIssuer
{
    public const string Issuer = "https://issuer.example", Audience = "market-data";

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <summary>What a gateway must be told to accept the tokens.</summary>
    public string[] Settings =>
    [
        "--Authentication:Enabled=true", $"--Authentication:Jwt:SigningKey={Convert.ToBase64String(_key)}", $"--Authentication:Jwt:Issuer={Issuer}", $"--Authentication:Jwt:Audience={Audience}",
    ];

    public string Token(string? subject = "alice", string issuer = Issuer, string audience = Audience, TimeSpan? life = null)
    {
        long expires = (DateTimeOffset.UtcNow + (life ?? TimeSpan.FromMinutes(10))).ToUnixTimeSeconds();
        var claims = new Dictionary<string, object> { ["iss"] = issuer, ["aud"] = audience, ["exp"] = expires };
        if (subject != null) claims["sub"] = subject;
        return Sign(JsonSerializer.Serialize(claims));
    }

    private string Sign(string claims)
    {
        var text = $"{Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{text}.{Base64Url.EncodeToString(HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes(text)))}";
    }
}
