using System.Text.Json;
using System.Text.Json.Serialization;

namespace MarketData.Ingest.Leadership;

/// <summary>What a record of the election's topic says.</summary>
public enum LeaseKind : byte
{
    /// <summary>The writer wants to lead. The first claim of a term counts.</summary>
    Claim,

    /// <summary>The leader is alive.</summary>
    Heartbeat,

    /// <summary>The writer has heard nothing of the leader and asks for a sign.</summary>
    Challenge,

    /// <summary>The leader stops and leaves the lead to anybody.</summary>
    Resignation,
}

/// <summary>A record of the election's topic. Its one partition gives all records one order, which every process reads alike.</summary>
/// <param name="Kind">What it says.</param>
/// <param name="Term">The term that is claimed, led or challenged; terms only grow.</param>
/// <param name="Process">Who wrote it: host, process id, and something that no other start has.</param>
public sealed record LeaseRecord(LeaseKind Kind, long Term, string Process)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Null for what is no such record.</summary>
    public static LeaseRecord? Read(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize<LeaseRecord>(bytes, Json) is { Process.Length: > 0, Term: > 0 } record ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
