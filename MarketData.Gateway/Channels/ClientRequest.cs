using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace MarketData.Gateway.Channels;

/// <summary>What a client asks for.</summary>
public enum ClientAction : byte
{
    Subscribe,
    Unsubscribe,
    Ping,
}

/// <summary>A client's request: <c>{"action":"subscribe","channel":"all"}</c>, or <c>"channels":[…]</c> for several.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Channels">The channels in the client's own spelling; empty for ping.</param>
public sealed record ClientRequest(ClientAction Action, IReadOnlyList<(string Text, ChannelName Name)> Channels)
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8 };

    /// <summary>Reads a request; on false <paramref name="error"/> tells the client what is wrong and what would be right.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> message, [NotNullWhen(true)] out ClientRequest? request, out string error)
    {
        request = null;
        try
        {
            using var document = JsonDocument.Parse(message, Strict);
            return TryRead(document.RootElement, out request, out error);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The second comes from text that no string can hold: an escaped half of a surrogate pair.
            error = $"Invalid JSON: {exception.Message}";
            return false;
        }
    }

    private static bool TryRead(JsonElement root, [NotNullWhen(true)] out ClientRequest? request, out string error)
    {
        request = null;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("action", out var action) || action.ValueKind != JsonValueKind.String)
        {
            error = """Missing action: send {"action":"subscribe","channel":"all"}.""";
            return false;
        }

        switch (action.GetString())
        {
            case "ping":
                error = string.Empty;
                request = new ClientRequest(ClientAction.Ping, []);
                return true;
            case "subscribe":
                return TryReadChannels(root, ClientAction.Subscribe, out request, out error);
            case "unsubscribe":
                return TryReadChannels(root, ClientAction.Unsubscribe, out request, out error);
            default:
                error = $"Unknown action '{action.GetString()}': use subscribe, unsubscribe or ping.";
                return false;
        }
    }

    private static bool TryReadChannels(JsonElement root, ClientAction action, [NotNullWhen(true)] out ClientRequest? request, out string error)
    {
        request = null;
        var texts = new List<string>();
        if (root.TryGetProperty("channel", out var single) && single.ValueKind == JsonValueKind.String) texts.Add(single.GetString()!);
        if (root.TryGetProperty("channels", out var several) && several.ValueKind == JsonValueKind.Array)
            texts.AddRange(several.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? item.GetString()! : item.GetRawText()));
        if (texts.Count == 0)
        {
            error = $"Missing channel: {ChannelName.Rule}.";
            return false;
        }

        var channels = new List<(string, ChannelName)>(texts.Count);
        foreach (var text in texts)
        {
            if (!ChannelName.TryParse(text, out var name))
            {
                error = $"Unknown channel '{text}': {ChannelName.Rule}.";
                return false;
            }

            channels.Add((text, name));
        }

        error = string.Empty;
        request = new ClientRequest(action, channels);
        return true;
    }
}
