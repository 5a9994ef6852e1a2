using System.Text.RegularExpressions;

namespace Aspire.Hosting.ApplicationModel;

internal static partial class ResourceName
{
    /// <summary>Aspire's rule (ASPIRE006): ASCII letters, digits and single hyphens, a letter first, at most 64.</summary>
    public static string Validate(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name.Length > 64 || !Pattern().IsMatch(name))
            throw new ArgumentException($"Resource name '{name}' must be at most 64 ASCII letters, digits and single hyphens, begin with a letter and not end with a hyphen.", nameof(name));
        return name;
    }

    /// <summary>The name as the beginning of an environment variable: <c>mock-kalshi</c> is <c>MOCK_KALSHI</c>.</summary>
    public static string ToVariablePrefix(string name) => NonWord().Replace(name, "_").ToUpperInvariant();

    [GeneratedRegex("^[A-Za-z](-?[A-Za-z0-9])*$")]
    private static partial Regex Pattern();

    [GeneratedRegex("[^A-Za-z0-9_]")]
    private static partial Regex NonWord();
}
