using System.Security.Cryptography;

namespace MarketData.MockKalshi.Authentication;

/// <summary>The command <c>create-key</c>: a key pair whose public part the exchange finds and whose private part a client signs with.</summary>
internal static class CreateKeyCommand
{
    public const string Name = "create-key";

    public const string Usage = """
        MarketData.MockKalshi create-key [--keys DIR] [--out FILE]
          Creates a key pair: DIR/KEY-ID.pem for the exchange, FILE for the client.

          --keys DIR      where the exchange looks for public keys, made if absent (keys)
          --out FILE      where the private key goes; must not exist (KEY-ID.key in this directory)
        """;

    private const int KeyBits = 2048;

    /// <summary>Returns the exit code; what is wrong goes to standard error in one line.</summary>
    public static int Run(string[] arguments)
    {
        if (arguments is ["--help" or "-h"])
        {
            Console.WriteLine(Usage);
            return 0;
        }

        try
        {
            string keyId = Guid.NewGuid().ToString();
            var (keys, privateFile) = Parse(arguments, keyId);
            string publicFile = Create(keyId, keys, privateFile);
            Console.WriteLine($"key id       {keyId}");
            Console.WriteLine($"public key   {publicFile}");
            Console.WriteLine($"private key  {Path.GetFullPath(privateFile)}");
            Console.WriteLine($"exchange     --keys {Path.GetFullPath(keys)} (Authentication__KeysDirectory); a running one finds the key by itself");
            Console.WriteLine($"client       sign with the private key, send {RequestAuthenticator.KeyHeader}: {keyId}");
            return 0;
        }
        catch (Exception exception) when (exception is StartupException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(exception.Message);
            return 1;
        }
    }

    private static (string Keys, string PrivateFile) Parse(string[] arguments, string keyId)
    {
        string keys = "keys", privateFile = keyId + ".key";
        for (int i = 0; i < arguments.Length; i += 2)
        {
            if (arguments[i] is not ("--keys" or "--out")) throw new StartupException($"Unknown argument {arguments[i]}. See {Name} --help.");
            if (i + 1 == arguments.Length) throw new StartupException($"{arguments[i]} needs a value. See {Name} --help.");
            if (arguments[i] == "--keys") keys = arguments[i + 1];
            else privateFile = arguments[i + 1];
        }

        return (keys, privateFile);
    }

    /// <summary>Returns the public key's file.</summary>
    private static string Create(string keyId, string keys, string privateFile)
    {
        using var key = RSA.Create(KeyBits);
        Directory.CreateDirectory(keys);
        WritePrivate(privateFile, key.ExportPkcs8PrivateKeyPem());

        // Written beside and moved, so that an exchange that is running never reads half a key.
        string publicFile = Path.GetFullPath(KeysDirectory.FileOf(keys, keyId)), unfinished = publicFile + ".tmp";
        File.WriteAllText(unfinished, key.ExportSubjectPublicKeyInfoPem() + "\n");
        File.Move(unfinished, publicFile);
        return publicFile;
    }

    private static void WritePrivate(string file, string pem)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        // Nobody but the owner reads it, from the moment it is there. Windows has no such modes; the directory's rights hold.
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(file, options);
        writer.WriteLine(pem);
    }
}
