using System.Text.Json;
using System.Text.Json.Serialization;

namespace MarketData.MockKalshi.Protocol;

/// <summary>A client's command (protocol reference, section 1.4), typed but not yet checked against the session.</summary>
internal record Command
{
    /// <summary>Echoed in replies; null when absent, and <c>0</c> counts as absent.</summary>
    public long? Id { get; init; }

    public string? Cmd { get; init; }

    public CommandParams? Params { get; init; }

    /// <summary>The text was no JSON object, or a field had the wrong type: error 1.</summary>
    [JsonIgnore]
    public bool Malformed { get; init; }

    /// <summary>It came in a second that had its fill of commands: error 27.</summary>
    [JsonIgnore]
    public bool IsExcess { get; init; }

    /// <summary>When it was read from the socket, a timestamp of the server's <see cref="TimeProvider"/>.</summary>
    [JsonIgnore]
    public long ReceivedAt { get; init; }

    /// <summary>Never throws: what cannot be read comes back as <see cref="Malformed"/>, with its id if that could be read.</summary>
    public static Command Parse(ReadOnlyMemory<byte> text)
    {
        try
        {
            var command = JsonSerializer.Deserialize(text.Span, CommandJson.Default.Command);
            if (command is null || command.Params is { HasNullElement: true }) return new Command { Malformed = true, Id = command?.Id };
            return command.Id == 0 ? command with { Id = null } : command;
        }
        catch (JsonException)
        {
            return new Command { Malformed = true, Id = ReadId(text) };
        }
    }

    private static long? ReadId(ReadOnlyMemory<byte> text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            bool found = document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.Number && id.TryGetInt64(out long value) && value != 0;
            return found ? document.RootElement.GetProperty("id").GetInt64() : null;
        }
        catch (JsonException)
        {
            // Not JSON at all: the reply goes without an id.
            return null;
        }
    }
}

/// <summary>Every parameter that some command takes; null where absent.</summary>
internal sealed record CommandParams
{
    public string[]? Channels { get; init; }
    public string? MarketTicker { get; init; }
    public string[]? MarketTickers { get; init; }
    public Guid? MarketId { get; init; }
    public Guid[]? MarketIds { get; init; }
    public int? Sid { get; init; }
    public int[]? Sids { get; init; }
    public string? Action { get; init; }
    public bool? SendInitialSnapshot { get; init; }
    public bool? SkipTickerAck { get; init; }
    public bool? UseYesPrice { get; init; }
    public int? ShardFactor { get; init; }
    public int? ShardKey { get; init; }
    public string[]? IndexIds { get; init; }
    public string[]? UnderlyingTickers { get; init; }

    [JsonIgnore]
    public bool HasNullElement => Array.Exists([Channels, MarketTickers, IndexIds, UnderlyingTickers], list => list?.Contains(null) == true);

    /// <summary>One and many exclude each other, and a market has a name: error 11.</summary>
    [JsonIgnore]
    public bool NamesMarketsWrongly =>
        (MarketTicker is not null && MarketTickers is not null) || (MarketId is not null && MarketIds is not null)
        || MarketTicker is "" || MarketTickers?.Contains("") == true;

    /// <summary>The named tickers in the client's order, each once.</summary>
    public string[] DistinctTickers() => MarketTicker is not null ? [MarketTicker] : (MarketTickers ?? []).Distinct(StringComparer.Ordinal).ToArray();

    public Guid[] DistinctMarketIds() => MarketId is { } id ? [id] : (MarketIds ?? []).Distinct().ToArray();

    /// <summary>The named subscriptions in the client's order.</summary>
    public int[] AllSids() => Sid is { } sid ? [sid, .. Sids ?? []] : Sids ?? [];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Command))]
internal sealed partial class CommandJson : JsonSerializerContext;
