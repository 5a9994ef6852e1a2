namespace MarketData.Ingest.Upstream;

/// <summary>
/// Which connection follows which market's order book. A market stays where it is for as long as it is listed; a new one takes the first
/// free place, on another connection when there is none. Not thread-safe.
/// </summary>
/// <param name="marketsPerConnection">Most markets on one connection.</param>
public sealed class MarketAssignment(int marketsPerConnection)
{
    private readonly List<HashSet<string>> _connections = [[]];

    /// <summary>At least one, also without markets: it has the channels that cover every market.</summary>
    public int Connections => _connections.Count;

    /// <summary>The markets of one connection, counted from 0.</summary>
    public IReadOnlyCollection<string> Of(int connection) => [.. _connections[connection]];

    /// <summary>The connection of a market; null when it is not listed.</summary>
    public int? ConnectionOf(string ticker) => _connections.FindIndex(markets => markets.Contains(ticker)) is >= 0 and var connection ? connection : null;

    /// <summary>Takes a new listing.</summary>
    public void Update(IReadOnlyCollection<string> listed)
    {
        foreach (var connection in _connections) connection.IntersectWith(listed);
        var assigned = _connections.SelectMany(connection => connection).ToHashSet();
        foreach (string ticker in listed)
        {
            if (!assigned.Contains(ticker)) FirstWithRoom().Add(ticker);
        }
    }

    private HashSet<string> FirstWithRoom()
    {
        foreach (var connection in _connections)
        {
            if (connection.Count < marketsPerConnection) return connection;
        }

        _connections.Add([]);
        return _connections[^1];
    }
}
