using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace MarketData.Gateway.Admission;

/// <summary>The form of API keys. They are 256 random bits, so one round of SHA-256 is enough to keep them unknown.</summary>
internal static class ApiKey
{
    // Tells people and secret scanners what they have found.
    private const string Prefix = "mdk_";

    /// <summary>A new key: text that goes into headers and queries as it is.</summary>
    public static string Create() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes));

    /// <summary>What is kept of a key.</summary>
    public static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
