using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>A customer's key as a client holds it, and the three headers of a request that it signs (protocol reference, section 1.2).</summary>
internal sealed class CustomerKey(string id, RSA rsa) : IDisposable
{
    public const string Path = "/trade-api/ws/v2";

    /// <summary>What a key of 2048 bits has room for, bytes.</summary>
    public const int LongestSalt = 222;

    public string Id { get; } = id;

    public RSA Rsa { get; } = rsa;

    public static CustomerKey Create(string? id = null) => new(id ?? Guid.NewGuid().ToString(), RSA.Create(2048));

    public static string Now() => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);

    public IEnumerable<(string, string)> Sign(string? timestamp = null, string request = "GET" + Path, RSASignaturePadding? padding = null)
    {
        timestamp ??= Now();
        byte[] signature = Rsa.SignData(Encoding.UTF8.GetBytes(timestamp + request), HashAlgorithmName.SHA256, padding ?? RSASignaturePadding.Pss);
        return Headers(Id, timestamp, Convert.ToBase64String(signature));
    }

    public static IEnumerable<(string, string)> Headers(string id, string timestamp, string signature) =>
        [("KALSHI-ACCESS-KEY", id), ("KALSHI-ACCESS-TIMESTAMP", timestamp), ("KALSHI-ACCESS-SIGNATURE", signature)];

    /// <summary>
    /// PSS by hand (RFC 8017, section 9.1.1): some libraries take the longest salt by default, and the framework offers one length only.
    /// </summary>
    /// <param name="saltBytes">At most <see cref="LongestSalt"/>.</param>
    public IEnumerable<(string, string)> SignWithSalt(int saltBytes)
    {
        const int modulusBytes = 256, hashBytes = 32, maskedBytes = modulusBytes - hashBytes - 1;
        string timestamp = Now();
        byte[] salt = RandomNumberGenerator.GetBytes(saltBytes);
        byte[] hash = SHA256.HashData([.. new byte[8], .. SHA256.HashData(Encoding.UTF8.GetBytes(timestamp + "GET" + Path)), .. salt]);
        byte[] mask = [.. Enumerable.Range(0, maskedBytes / hashBytes + 1).SelectMany(i => SHA256.HashData([.. hash, 0, 0, 0, (byte)i]))];
        byte[] masked = [.. new byte[LongestSalt - saltBytes].Append((byte)1).Concat(salt).Select((value, i) => (byte)(value ^ mask[i]))];
        masked[0] &= 0x7F;

        var parameters = Rsa.ExportParameters(includePrivateParameters: true);
        var signature = BigInteger.ModPow(Unsigned([.. masked, .. hash, 0xBC]), Unsigned(parameters.D!), Unsigned(parameters.Modulus!));
        byte[] bytes = signature.ToByteArray(isUnsigned: true, isBigEndian: true);
        return Headers(Id, timestamp, Convert.ToBase64String([.. new byte[modulusBytes - bytes.Length], .. bytes]));
    }

    private static BigInteger Unsigned(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    public void Dispose() => Rsa.Dispose();
}
