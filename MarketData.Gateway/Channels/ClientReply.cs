using System.Text.Json;
using System.Text.Json.Serialization;

namespace MarketData.Gateway.Channels;

/// <summary>The gateway's own messages to a client, as UTF-8 JSON.</summary>
public static class ClientReply
{
    public static byte[] Connected(string sessionId) =>
        JsonSerializer.SerializeToUtf8Bytes(new { type = "connected", message = "Connected to the Kalshi market-data gateway.", sessionId });

    /// <param name="type"><c>subscribed</c>, <c>already_subscribed</c>, <c>unsubscribed</c> or <c>not_subscribed</c>.</param>
    /// <param name="channel">The channel in the client's own spelling.</param>
    /// <param name="timestamp">Unix milliseconds.</param>
    public static byte[] Channel(string type, string channel, long timestamp) =>
        JsonSerializer.SerializeToUtf8Bytes(new { type, data = new { channel }, timestamp }, Readable);

    public static byte[] Pong(long timestamp) => JsonSerializer.SerializeToUtf8Bytes(new { type = "pong", data = new { }, timestamp });

    /// <summary>Tells of messages that never came.</summary>
    /// <param name="channel">Their type.</param>
    /// <param name="ticker">Their market.</param>
    /// <param name="missed">The first and last of their <c>streamSequence</c>.</param>
    /// <param name="timestamp">Unix milliseconds.</param>
    public static byte[] Gap(string channel, string ticker, (long From, long To) missed, long timestamp) =>
        JsonSerializer.SerializeToUtf8Bytes(new { type = "gap", data = new { channel, marketTicker = ticker, missedFrom = missed.From, missedTo = missed.To }, timestamp }, Readable);

    public static byte[] Error(string error, long timestamp) =>
        JsonSerializer.SerializeToUtf8Bytes(new { type = "error", error, timestamp }, Readable);

    // Messages quote braces and quotes; they are read by people, not embedded in pages.
    private static readonly JsonSerializerOptions Readable = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    };
}
