using System.Collections.Concurrent;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.Ingest.Upstream;

/// <summary>What the connections to the exchange are doing, and their health check <c>exchange</c>. Each part is written by one loop only.</summary>
public sealed class UpstreamStatus : IHealthCheck
{
    private readonly ConcurrentDictionary<int, Connection> _connections = new();

    // Of the service as a whole, while there are no connections.
    private volatile string? _waiting = "not connected yet";
    private volatile bool _isStandby;

    /// <summary>Why the feed is down, or what is not as it should be; null when all is.</summary>
    public string? Problem => Down() ?? Shortcoming();

    /// <summary>Markets whose order book is subscribed.</summary>
    public int Books => _connections.Values.Sum(connection => connection.Books);

    /// <summary>Connections that are up.</summary>
    public int Connections => _connections.Values.Count(connection => connection.Problem == null);

    /// <summary>A connection is up and subscribed.</summary>
    /// <param name="connection">Counted from 0.</param>
    /// <param name="books">Markets whose order book is subscribed.</param>
    /// <param name="shortcoming">What is not as it should be; null when all is.</param>
    public void Subscribed(int connection, int books, string? shortcoming) => Set(connection, new Connection(null, shortcoming, books));

    /// <summary>A connection is not up.</summary>
    /// <param name="connection">Counted from 0.</param>
    /// <param name="problem">Why.</param>
    public void Down(int connection, string problem) => Set(connection, new Connection(problem, null, 0));

    /// <summary>Another process takes the feed.</summary>
    public void StandBy() => NoConnections(waiting: null, isStandby: true);

    /// <summary>This process takes the feed, but does not connect yet.</summary>
    public void Waiting(string reason) => NoConnections(reason, isStandby: false);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            Down() is { } problem ? new HealthCheckResult(context.Registration.FailureStatus, $"The exchange's feed is down: {problem}")
            : _isStandby ? HealthCheckResult.Healthy("Another process takes the feed.")
            : Shortcoming() is { } shortcoming ? HealthCheckResult.Degraded($"{Books} order books subscribed; {shortcoming}")
            : HealthCheckResult.Healthy($"{Books} order books subscribed."));

    private void Set(int number, Connection connection)
    {
        _connections[number] = connection;
        (_waiting, _isStandby) = (null, false);
    }

    private void NoConnections(string? waiting, bool isStandby)
    {
        (_waiting, _isStandby) = (waiting, isStandby);
        _connections.Clear();
    }

    private string? Down() => _waiting ?? First(connection => connection.Problem);

    private string? Shortcoming() => First(connection => connection.Shortcoming);

    // Says which connection it is only when there are several.
    private string? First(Func<Connection, string?> what)
    {
        foreach (var (number, connection) in _connections.OrderBy(connection => connection.Key))
        {
            if (what(connection) is { } text) return _connections.Count == 1 ? text : $"connection {number + 1} of {_connections.Count}: {text}";
        }

        return null;
    }

    private sealed record Connection(string? Problem, string? Shortcoming, int Books);
}
