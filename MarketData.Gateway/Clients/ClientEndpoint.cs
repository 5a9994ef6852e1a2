using System.Net.WebSockets;
using MarketData.Gateway.Feed;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Clients;

/// <summary>Accepts clients on <c>/ws/market-data</c> and tells them when the gateway stops.</summary>
public sealed class ClientEndpoint(
    FeedInbox feed,
    IOptions<GatewayOptions> options,
    GatewayMetrics metrics,
    IHostApplicationLifetime lifetime,
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

        try
        {
            if (metrics.ClientConnected() > options.Value.MaxConnections)
            {
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                await context.Response.WriteAsync("The gateway is full.\n", context.RequestAborted);
                return;
            }

            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var client = new GatewayClient(Guid.NewGuid().ToString("N"), options.Value.ClientQueueBytes);
            using var stopping = lifetime.ApplicationStopping.Register(
                () => client.TryClose(WebSocketCloseStatus.EndpointUnavailable, "The gateway is stopping: connect again."));
            await new ClientSession(socket, client, feed, options.Value, metrics, time, logger, context.RequestAborted).RunAsync();
        }
        finally
        {
            metrics.ClientDisconnected();
        }
    }
}
