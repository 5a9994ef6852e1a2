using MarketData.Gateway.Admission;
using MarketData.Gateway.Feed;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Clients;

/// <summary>Accepts clients on <c>/ws/market-data</c>.</summary>
internal sealed class ClientEndpoint(
    AdmissionGate gate,
    ConnectedClients clients,
    FeedInbox feed,
    IOptions<GatewayOptions> options,
    GatewayMetrics metrics,
    TimeProvider time,
    ILogger<ClientSession> logger)
{
    public async Task HandleAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            context.Response.Headers.Upgrade = "websocket";
            context.Response.Headers.Connection = "Upgrade";
            await context.Response.WriteAsync("This is a WebSocket endpoint: connect with ws://, not http://.\n", context.RequestAborted);
            return;
        }

        var (permit, refusal) = await gate.AdmitClientAsync(context);
        if (refusal != null) await refusal.WriteAsync(context.Response);
        else await ServeAsync(context, permit!);
    }

    private async Task ServeAsync(HttpContext context, ClientPermit permit)
    {
        using var place = permit;
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var client = new GatewayClient(Guid.NewGuid().ToString("N"), options.Value.ClientQueueBytes, permit);
        clients.Add(client);
        try
        {
            await new ClientSession(socket, client, feed, options.Value, metrics, time, logger, context.RequestAborted).RunAsync();
        }
        finally
        {
            clients.Remove(client);
            if (client.Close is { } close) metrics.Closed((int)close.Status);
        }
    }
}
