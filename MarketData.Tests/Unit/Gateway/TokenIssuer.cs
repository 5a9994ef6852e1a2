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

    public string Token(string? subject = "alice", string issuer = Issuer, string audience = Audience, TimeSpan? life = null) =>
        Sign("""{"alg":"HS256","typ":"JWT"}""", Claims(subject, issuer, audience, life ?? TimeSpan.FromMinutes(10)), text => HMACSHA256.HashData(_key, text));

    public static string Claims(string? subject, string issuer, string audience, TimeSpan life)
    {
        var claims = new Dictionary<string, object> { ["iss"] = issuer, ["aud"] = audience, ["exp"] = (DateTimeOffset.UtcNow + life).ToUnixTimeSeconds() };
        if (subject != null) claims["sub"] = subject;
        return JsonSerializer.Serialize(claims);
    }

    public static string Sign(string header, string claims, Func<byte[], byte[]> sign)
    {
        var text = $"{Encode(header)}.{Encode(claims)}";
        return $"{text}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(text)))}";
    }

    private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
