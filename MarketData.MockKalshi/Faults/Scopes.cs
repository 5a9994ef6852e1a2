using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Faults;

/// <summary>One connection by its number, or all.</summary>
internal readonly record struct ConnectionScope
{
    private readonly int _number;

    public ConnectionScope(FaultFields fields) => _number = fields.Number("connection", 0, 1, int.MaxValue);

    public bool Contains(int connection) => _number == 0 || _number == connection;
}

/// <summary>Scopes that several kinds share.</summary>
internal static class Scopes
{
    /// <summary>Null for every channel.</summary>
    public static FeedChannel? Channel(FaultFields fields)
    {
        if (fields.Text("channel") is not { } name) return null;
        return FeedChannel.Find(name)
            ?? throw new BadFaultException($"field channel: must be a channel such as orderbook_delta, ticker or trade, but is {name}");
    }
}
