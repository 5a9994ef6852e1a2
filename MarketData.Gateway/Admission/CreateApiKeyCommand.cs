namespace MarketData.Gateway.Admission;

/// <summary>The command <c>create-api-key</c>: a new key for a client, and what the gateway must be told to accept it.</summary>
internal static class CreateApiKeyCommand
{
    public const string Name = "create-api-key";

    public const string Usage = """
        MarketData.Gateway create-api-key NAME
          Creates an API key for the client NAME (letters, digits, - and _) and prints it once, with its hash. Give the key to the client and
          the hash to the gateway; the key is kept nowhere.
        """;

    /// <summary>Returns the exit code; what is wrong goes to standard error in one line.</summary>
    public static int Run(string[] arguments)
    {
        if (arguments is ["--help" or "-h"])
        {
            Console.WriteLine(Usage);
            return 0;
        }

        // No colon and no double underscore, which separate the parts of configuration keys.
        if (arguments is not [var name] || name.Length == 0 || !name.All(IsPlain) || name.Contains("__", StringComparison.Ordinal))
        {
            Console.Error.WriteLine($"{Name} needs one name of letters, digits, - and single _, such as: {Name} acme. See {Name} --help.");
            return 1;
        }

        var key = ApiKey.Create();
        var hash = Convert.ToHexStringLower(ApiKey.HashOf(key));
        Console.WriteLine($"key      {key}");
        Console.WriteLine($"client   sends it as header X-API-Key, as Authorization: Bearer, or as query parameter {Credential.QueryParameter}");
        Console.WriteLine($"gateway  {CredentialOptions.Section}__Enabled=true {CredentialOptions.Section}__ApiKeys__{name}__Sha256={hash}");
        return 0;
    }

    private static bool IsPlain(char character) => char.IsAsciiLetterOrDigit(character) || character is '-' or '_';
}
