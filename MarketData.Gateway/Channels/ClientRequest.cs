using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using MarketData.Domain.Channels;

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
public sealed record ClientRequest(ClientAction Action, IReadOnlyList<RequestedChannel> Channels)
{
    private const int MaxHistory = 100;

    // Of all channels of a request together: less than what may wait for a client.
    private const int MaxHistoryAtOnce = 1000;
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
        bool isSubscribe = action == ClientAction.Subscribe;
        JsonElement resume = default, history = default;
        if (isSubscribe && root.TryGetProperty("resume", out resume))
        {
            if (resume.ValueKind != JsonValueKind.Object)
            {
                error = ResumePoint.Rule;
                return false;
            }

            // Whoever resumes a channel need not name it twice.
            texts.AddRange(resume.EnumerateObject().Select(property => property.Name).Except(texts));
        }

        int trades = 0;
        if (isSubscribe && root.TryGetProperty("history", out history) && !(history.ValueKind == JsonValueKind.Number && history.TryGetInt32(out trades) && trades is >= 1 and <= MaxHistory))
        {
            error = $"history must be a whole number of trades, 1 to {MaxHistory}, but is {history.GetRawText()}.";
            return false;
        }

        if (texts.Count == 0)
        {
            error = $"Missing channel: {ChannelName.Rule}.";
            return false;
        }

        var channels = new List<RequestedChannel>(texts.Count);
        foreach (var text in texts)
        {
            if (!ChannelName.TryParse(text, out var name))
            {
                error = $"Unknown channel '{text}': {ChannelName.Rule}.";
                return false;
            }

            ResumePoint? point = null;
            if (resume.ValueKind == JsonValueKind.Object && resume.TryGetProperty(text, out var value) && !ResumePoint.TryRead(name, value, out point))
            {
                error = $"Cannot resume '{text}': {ResumePoint.Rule}";
                return false;
            }

            channels.Add(new RequestedChannel(text, name, point, name is { Ticker: not null, Type: MarketChannel.Trade } ? trades : 0));
        }

        if (trades > 0 && channels.TrueForAll(channel => channel.History == 0))
        {
            error = "history goes with a channel {ticker}:trade.";
            return false;
        }

        if (channels.Sum(channel => channel.History) is > MaxHistoryAtOnce and var past)
        {
            error = $"history of {trades} trades is {past} for all channels together: at most {MaxHistoryAtOnce} in one request.";
            return false;
        }

        error = string.Empty;
        request = new ClientRequest(action, channels);
        return true;
    }
}

/// <summary>A channel that a client asks for.</summary>
/// <param name="Text">In the client's own spelling.</param>
/// <param name="Name">What it names.</param>
/// <param name="Resume">What the client has of it; null when nothing.</param>
/// <param name="History">Past trades to begin with.</param>
public sealed record RequestedChannel(string Text, ChannelName Name, ResumePoint? Resume, int History);

/// <summary>The last message that a client has of a stream.</summary>
/// <param name="Sequence">Its <c>streamSequence</c>.</param>
/// <param name="Epoch">Its <c>streamEpoch</c>; null when the client does not say.</param>
public sealed record ResumePoint(long Sequence, long? Epoch)
{
    /// <summary>Says what resuming wants, for error messages.</summary>
    public const string Rule =
        """resume names {ticker}:{type} channels with their last streamSequence, or with both numbers: {"resume":{"T:trade":77}} or {"resume":{"T:orderbook_delta":{"streamSequence":77,"streamEpoch":1640001200000}}}.""";

    /// <summary>Reads what a client has of a channel; false when it cannot be resumed so.</summary>
    public static bool TryRead(ChannelName name, JsonElement value, [NotNullWhen(true)] out ResumePoint? point)
    {
        point = null;
        // A channel of all markets has a number for each of them.
        if (name.Ticker == null) return false;
        if (TryReadNumber(value, out long sequence))
        {
            point = new ResumePoint(sequence, null);
            return true;
        }

        if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty("streamSequence", out var number) || !TryReadNumber(number, out sequence)) return false;
        if (!value.TryGetProperty("streamEpoch", out var begin) || !TryReadNumber(begin, out long epoch)) return false;
        point = new ResumePoint(sequence, epoch);
        return true;
    }

    private static bool TryReadNumber(JsonElement value, out long number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out number) && number >= 0;
    }
}
