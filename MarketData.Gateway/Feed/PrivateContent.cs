using MarketData.Domain.Envelopes;
using MarketData.Domain.Frames;

namespace MarketData.Gateway.Feed;

/// <summary>
/// Keeps what concerns the exchange account from clients, should anything but our ingest service, which does the same, write to Redis.
/// Frames cost nothing to know: only channels that are none of ours are looked up. Fields cost one search through each message.
/// </summary>
internal static class PrivateContent
{
    /// <summary>Whether the whole message is private.</summary>
    public static bool Is(ReadOnlySpan<byte> value, in Envelope envelope) => FrameTypes.Parse(envelope.ChannelName.Of(value)) == FrameType.Private;

    /// <summary>The message without private fields: itself when it has none, which is the rule.</summary>
    public static byte[] Remove(byte[] value, in Envelope envelope)
    {
        var payload = envelope.Payload.Of(value);
        if (payload.IndexOf("client_order_id"u8) < 0 && payload.IndexOf("subaccount"u8) < 0) return value;
        int end = envelope.Payload.Start + envelope.Payload.Length;
        return [.. value.AsSpan(0, envelope.Payload.Start), .. PrivateFields.Strip(payload), .. value.AsSpan(end)];
    }
}
