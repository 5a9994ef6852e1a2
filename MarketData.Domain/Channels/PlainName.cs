using System.Buffers;

namespace MarketData.Domain.Channels;

/// <summary>
/// The text that may stand in channel names, keys and envelopes without quoting: types, channels and market tickers. It holds no
/// separator of those names, no pattern character and nothing that JSON escapes.
/// </summary>
public static class PlainName
{
    /// <summary>Several times the longest ticker of the exchange.</summary>
    public const int MaxLength = 256;

    /// <summary>Says what is right, for error messages: "a market ticker " followed by this.</summary>
    public const string Rule = "holds letters, digits and . _ - only, 256 at most";

    private static readonly SearchValues<byte> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"u8);

    /// <summary>True also for empty text, which stands for "none".</summary>
    public static bool IsValid(ReadOnlySpan<byte> text) => text.Length <= MaxLength && text.IndexOfAnyExcept(Allowed) < 0;
}
