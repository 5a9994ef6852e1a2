using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace MarketData.ServiceDefaults.Health;

/// <summary>Takes credentials out of texts that others wrote: client libraries quote connection strings in their exceptions.</summary>
internal static partial class SecretRedaction
{
    private const string Replacement = "***";

    /// <summary>
    /// Replaces values of <c>password=</c> and its like, user information in URLs, and every password that a connection string of
    /// <paramref name="configuration"/> holds, wherever it stands.
    /// </summary>
    public static string Redact(string text, IConfiguration configuration)
    {
        foreach (var connectionString in configuration.GetSection("ConnectionStrings").GetChildren())
        {
            foreach (Match match in Assignment().Matches(connectionString.Value ?? ""))
            {
                text = text.Replace(match.Groups["value"].Value, Replacement, StringComparison.Ordinal);
            }
        }

        text = Assignment().Replace(text, $"${{key}}{Replacement}");
        return UserInformation().Replace(text, $"://{Replacement}@");
    }

    [GeneratedRegex("(?<key>(?:password|passwd|pwd|secret|api[-_]?key|token)\\s*=\\s*)(?<value>[^,;\\s\"']+)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Assignment();

    [GeneratedRegex("://[^/@\\s]*@", RegexOptions.CultureInvariant)]
    private static partial Regex UserInformation();
}
