using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Admission;

/// <summary>The lists of <see cref="AdmissionOptions"/> as they are used, and what makes them wrong.</summary>
internal sealed class AdmissionRules : IValidateOptions<AdmissionOptions>
{
    /// <summary>The allowed origins as browsers write them; empty for any.</summary>
    public static HashSet<string> Origins(AdmissionOptions options) =>
        [.. Entries(options.AllowedOrigins).Select(entry => TryParseOrigin(entry, out var origin) ? origin : throw new FormatException(WrongOrigin(entry)))];

    /// <summary>The networks of trusted proxies.</summary>
    public static IEnumerable<IPNetwork> ProxyNetworks(AdmissionOptions options) =>
        Entries(options.TrustedProxies).Select(entry => TryParseNetwork(entry, out var network) ? network : throw new FormatException(WrongProxy(entry)));

    public ValidateOptionsResult Validate(string? name, AdmissionOptions options)
    {
        string[] failures =
        [
            .. Entries(options.AllowedOrigins).Where(entry => !TryParseOrigin(entry, out _)).Select(WrongOrigin),
            .. Entries(options.TrustedProxies).Where(entry => !TryParseNetwork(entry, out _)).Select(WrongProxy),
        ];
        return failures.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static string WrongOrigin(string entry) =>
        $"Gateway:AllowedOrigins has '{entry}', which is no origin: right would be scheme, host and, unless it is the scheme's own, port, such as https://example.com:8443.";

    private static string WrongProxy(string entry) =>
        $"Gateway:TrustedProxies has '{entry}', which is no address or network: right would be for example 192.168.1.7 or 10.0.0.0/8.";

    private static string[] Entries(string list) => list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    // RFC 6454, section 6.2: scheme and host in lower case, the port only when it is not the scheme's own, no path.
    private static bool TryParseOrigin(string entry, [NotNullWhen(true)] out string? origin)
    {
        bool isOrigin = Uri.TryCreate(entry, UriKind.Absolute, out var uri) && uri is { Scheme: "http" or "https", PathAndQuery: "/", UserInfo: "", Fragment: "" };
        origin = isOrigin ? uri!.GetLeftPart(UriPartial.Authority) : null;
        return isOrigin;
    }

    private static bool TryParseNetwork(string entry, out IPNetwork network)
    {
        if (IPNetwork.TryParse(entry, out network)) return true;
        bool isAddress = IPAddress.TryParse(entry, out var address);
        if (isAddress) network = new IPNetwork(address!, address!.GetAddressBytes().Length * 8);
        return isAddress;
    }
}
