using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Upstream;

/// <summary>
/// Signs requests to the exchange: RSA-PSS over SHA-256 of the time in milliseconds, the method and the path, as its handshake wants them.
/// Thread-safe.
/// </summary>
public sealed class RequestSigner(IOptions<UpstreamOptions> options, TimeProvider time) : IDisposable
{
    // A lock, because an RSA key is not promised to be thread-safe.
    private readonly Lock _gate = new();
    private readonly RSA? _key = options.Value.KeyId == null ? null : LoadKey(options.Value);

    /// <summary>The headers that a request carries; none when no key is set.</summary>
    /// <param name="method">GET and so on.</param>
    /// <param name="address">Its path is signed, without the query.</param>
    public IEnumerable<(string Name, string Value)> Headers(string method, Uri address)
    {
        if (_key == null) return [];
        string timestamp = time.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        byte[] signature;
        lock (_gate)
            signature = _key.SignData(Encoding.UTF8.GetBytes(timestamp + method + address.AbsolutePath), HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        return
        [
            ("KALSHI-ACCESS-KEY", options.Value.KeyId!),
            ("KALSHI-ACCESS-TIMESTAMP", timestamp),
            ("KALSHI-ACCESS-SIGNATURE", Convert.ToBase64String(signature)),
        ];
    }

    public void Dispose() => _key?.Dispose();

    /// <summary>Reads the private key that the options name.</summary>
    /// <exception cref="InvalidOperationException">It is missing or no private RSA key in PEM; the message names the setting, never the key.</exception>
    internal static RSA LoadKey(UpstreamOptions options)
    {
        if ((options.PrivateKey == null) == (options.PrivateKeyFile == null))
            throw new InvalidOperationException("Upstream:KeyId needs the key itself too: set either Upstream:PrivateKeyFile (a PEM file) or Upstream:PrivateKey (its text).");
        var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(options.PrivateKey ?? File.ReadAllText(options.PrivateKeyFile!));
            rsa.ExportParameters(includePrivateParameters: true);
            return rsa;
        }
        catch (Exception exception) when (exception is ArgumentException or CryptographicException or IOException or UnauthorizedAccessException)
        {
            rsa.Dispose();
            string where = options.PrivateKey != null ? "Upstream:PrivateKey" : $"Upstream:PrivateKeyFile ({options.PrivateKeyFile})";
            // The reader's own message may quote what it read.
            string why = exception is IOException or UnauthorizedAccessException ? exception.Message : "it must be a private RSA key in PEM (PKCS#1 or PKCS#8, without a password)";
            throw new InvalidOperationException($"{where} cannot be used: {why}.");
        }
    }
}
