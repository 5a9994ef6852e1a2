using System.Text.Json;
using MarketData.MockKalshi.Dialects.Cents;
using MarketData.MockKalshi.Dialects.Seed;
using MarketData.MockKalshi.Replay;

namespace MarketData.MockKalshi.Dialects;

/// <summary>Which dialect a recording speaks: it is played byte for byte, so that must be the exchange's.</summary>
internal static class RecordedDialect
{
    private static readonly HashSet<string> CentsKeys =
        new(["yes", "no", "price", "delta", "yes_bid", "yes_ask", "yes_price", "no_price", "count", "volume"], StringComparer.Ordinal);

    /// <exception cref="StartupException">The file speaks another dialect.</exception>
    public static void Check(RecordedFile file, string dialect)
    {
        string? spoken = file.Frames.Select(Of).FirstOrDefault(name => name is not null);
        if (spoken is null || spoken == dialect) return;
        string advice = spoken == SeedDialect.TypedName ? "recordings of that dialect cannot be played" : $"start it with --dialect {spoken}";
        throw new StartupException($"The recording {file.Path} speaks {spoken} and this exchange {dialect} (Protocol:Dialect): {advice}.");
    }

    /// <summary>Decided by key names (protocol reference, section 2.1); null when a frame has none that tell.</summary>
    private static string? Of(RecordedFrame frame)
    {
        bool cents = false;
        var reader = new Utf8JsonReader(frame.Text.Span);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName) continue;
            string key = reader.GetString()!;
            // Frames of early 2026 carry both; the newer form is the one that clients read.
            if (key.EndsWith("_fp", StringComparison.Ordinal)) return FixedPointDialect.Name;
            cents |= CentsKeys.Contains(key);
        }

        return !cents ? null : frame.HasSid ? CentsDialect.Name : SeedDialect.TypedName;
    }
}
