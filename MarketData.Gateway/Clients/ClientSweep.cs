using System.Net.WebSockets;
using MarketData.Gateway.Admission;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Clients;

/// <summary>Looks over all clients every second and closes those that are idle, if that is wanted, and those whose token has expired.</summary>
public sealed class ClientSweep(ConnectedClients clients, IOptions<GatewayOptions> options, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var (client, permit) in clients.All) Look(client, permit);
        }
    }

    private void Look(GatewayClient client, ClientPermit permit)
    {
        int idleSeconds = options.Value.IdleSeconds;
        if (permit.IsExpired)
            client.TryClose(WebSocketCloseStatus.PolicyViolation, "The token has expired: connect again with a new one.");
        else if (idleSeconds > 0 && permit.IsIdle(TimeSpan.FromSeconds(idleSeconds)))
            client.TryClose(WebSocketCloseStatus.NormalClosure, $"Nothing subscribed and nothing asked for {idleSeconds} s.");
    }
}
