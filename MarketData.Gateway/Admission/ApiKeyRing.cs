using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Admission;

/// <summary>Knows the configured API keys by their hashes. Thread-safe.</summary>
internal sealed class ApiKeyRing(IOptions<CredentialOptions> options)
{
    private readonly (byte[] Hash, Caller Caller)[] _keys =
        [.. options.Value.ApiKeys.Select(key => (Convert.FromHexString(key.Value.Sha256), new Caller($"key {key.Key}", key.Value)))];

    /// <summary>The owner of a key; null when nobody has it.</summary>
    public Caller? Find(string credential)
    {
        var hash = ApiKey.HashOf(credential);
        Caller? found = null;
        // To the end also after a match: the time it takes tells nothing about the keys.
        foreach (var (known, caller) in _keys)
        {
            if (CryptographicOperations.FixedTimeEquals(known, hash)) found = caller;
        }

        return found;
    }
}
