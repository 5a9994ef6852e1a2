using MarketData.Gateway.Clients;
using MarketData.Gateway.Fanout;

namespace MarketData.Gateway.Http;

/// <summary><c>GET /stats</c>: the gateway's counters since its start.</summary>
public static class StatsEndpoint
{
    public static void MapStats(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/stats", (GatewayMetrics metrics, ConnectedClients clients, FanoutService fanout, DeliveryLatency latency) => new
        {
            clients = clients.Count,
            subscriptions = clients.Subscriptions,
            messagesReceived = metrics.MessagesIn,
            messagesSent = metrics.MessagesOut,
            bytesSent = metrics.BytesOut,
            conflations = metrics.Conflations,
            slowClientsClosed = metrics.SlowClosed,
            closed = metrics.ClosedByCode,
            refused = metrics.RefusedByReason,
            repairs = metrics.Repairs,
            lostMessages = metrics.LostMessages,
            unreadableMessages = metrics.Unreadable,
            privateMessages = metrics.Private,
            ioUring = fanout.UsesIoUring,
            latencyMs = latency.Report(),
        });
}
