using Microsoft.Extensions.Primitives;

namespace MarketData.Gateway.Clients;

/// <summary>
/// Negotiates permessage-deflate, RFC 7692: always without context takeover, so that a message is compressed once for all who get it.
/// </summary>
internal static class DeflateOffer
{
    private const string Name = "permessage-deflate";

    /// <summary>The extension as it was agreed on.</summary>
    public const string Answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    /// <summary>Whether a client offers the extension in a form that can be served.</summary>
    /// <param name="offers">The header <c>Sec-WebSocket-Extensions</c>.</param>
    public static bool IsAcceptable(StringValues offers)
    {
        foreach (string? line in offers)
        {
            foreach (string offer in (line ?? "").Split(','))
            {
                var parts = offer.Split(';', StringSplitOptions.TrimEntries);
                if (parts[0] == Name && parts.Skip(1).All(IsServed)) return true;
            }
        }

        return false;
    }

    // A smaller window than the largest cannot be had from the compressor. Client's windows are always understood.
    private static bool IsServed(string parameter) => parameter.Split('=', 2, StringSplitOptions.TrimEntries) switch
    {
        ["server_no_context_takeover"] or ["client_no_context_takeover"] or ["client_max_window_bits"] => true,
        ["client_max_window_bits", var bits] => int.TryParse(bits.Trim('"'), out int window) && window is >= 8 and <= 15,
        ["server_max_window_bits", var bits] => bits.Trim('"') == "15",
        _ => false,
    };
}
