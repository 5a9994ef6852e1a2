using System.Collections.Concurrent;
using System.Net.WebSockets;
using MarketData.Gateway.Admission;

namespace MarketData.Gateway.Clients;

/// <summary>The clients that are connected now, and whether more may come. Thread-safe.</summary>
public sealed class ConnectedClients
{
    /// <summary>Seconds after which a load balancer has another gateway, or this one has come back.</summary>
    private const int RetrySeconds = 5;

    private readonly ConcurrentDictionary<GatewayClient, ClientPermit> _clients = new();
    private volatile bool _isDraining;

    /// <summary>What those are told who come while the gateway stops.</summary>
    public static Refusal Stopping { get; } = new(
        RefusalReason.Draining, StatusCodes.Status503ServiceUnavailable, "The gateway is stopping: connect to another one, or later.")
    { RetryAfter = RetrySeconds };

    public bool IsDraining => _isDraining;

    public int Count => _clients.Count;

    public IEnumerable<(GatewayClient Client, ClientPermit Permit)> All => _clients.Select(entry => (entry.Key, entry.Value));

    /// <summary>Channels that clients subscribe, each counted for each client.</summary>
    public long Subscriptions => _clients.Sum(entry => (long)entry.Value.Subscriptions);

    /// <summary>Adds a client that has been admitted. One that slipped in while draining began is sent away again.</summary>
    public void Add(GatewayClient client)
    {
        _clients[client] = client.Permit;
        if (IsDraining) SendAway(client);
    }

    public void Remove(GatewayClient client) => _clients.TryRemove(client, out _);

    /// <summary>From now on nobody is admitted.</summary>
    public void BeginDrain() => _isDraining = true;

    /// <summary>Tells a client to go elsewhere.</summary>
    public static void SendAway(GatewayClient client) => client.TryClose(WebSocketCloseStatus.EndpointUnavailable, Stopping.Error);
}
