using System.Security.Cryptography;

namespace MarketData.MockKalshi.Authentication;

/// <summary>The keys of customers: files <c>{key-id}.pem</c> in one directory. Stateless and thread-safe.</summary>
internal static class KeysDirectory
{
    private const int LongestId = 64;

    /// <summary>Where the key of this id belongs.</summary>
    /// <param name="directory">The keys directory.</param>
    /// <param name="keyId">A well-formed id.</param>
    public static string FileOf(string directory, string keyId) => Path.Combine(directory, keyId + ".pem");

    /// <summary>Letters, digits, hyphens and underscores only, so that an id can name no file outside the directory.</summary>
    public static bool IsWellFormed(string keyId) =>
        keyId.Length is > 0 and <= LongestId && keyId.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_');

    /// <summary>
    /// Reads a key as PEM: public as SPKI or PKCS#1, or private as PKCS#8 or PKCS#1, of which only the public part is used.
    /// </summary>
    /// <returns>Null when there is no such file, or when it holds no RSA key: <paramref name="problem"/> then says which.</returns>
    public static RSA? Find(string directory, string keyId, out string? problem)
    {
        string file = FileOf(directory, keyId);
        var key = RSA.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(file));
            problem = null;
            return key;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or CryptographicException)
        {
            key.Dispose();
            problem = exception is FileNotFoundException ? $"there is no {file}" : $"{file} is no readable RSA key in PEM: {exception.Message}";
            return null;
        }
    }
}
