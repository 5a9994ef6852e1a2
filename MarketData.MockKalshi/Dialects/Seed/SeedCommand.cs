using System.Text.Json;
using System.Text.Json.Serialization;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Dialects.Seed;

/// <summary>A command of the seed dialect: sids are text, and nothing says which action an update is.</summary>
internal sealed record SeedCommand : Command
{
    public SeedParams? SeedParams { get; init; }

    /// <summary>Why the text is no command; null when it is one.</summary>
    public string? Problem { get; init; }

    /// <summary>Never throws: what is wrong comes back as <see cref="Problem"/>.</summary>
    public static SeedCommand Read(ReadOnlyMemory<byte> text)
    {
        try
        {
            var wire = JsonSerializer.Deserialize(text.Span, SeedJson.Default.SeedWire);
            return wire is null ? new SeedCommand { Problem = "not an object" } : new SeedCommand { Id = wire.Id, Cmd = wire.Cmd, SeedParams = wire.Params };
        }
        catch (JsonException exception)
        {
            return new SeedCommand { Problem = exception.Message };
        }
    }
}

/// <summary>A command as it is written.</summary>
internal sealed record SeedWire(long? Id, string? Cmd, SeedParams? Params);

/// <summary>Every parameter that some command of the dialect takes.</summary>
internal sealed record SeedParams
{
    public string[]? Channels { get; init; }
    public string[]? MarketTickers { get; init; }
    public string? Sid { get; init; }
    public string[]? Sids { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SeedWire))]
internal sealed partial class SeedJson : JsonSerializerContext;
