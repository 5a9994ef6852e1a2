using MarketData.Gateway.Clients;

namespace MarketData.Gateway.Http;

/// <summary><c>GET /stats</c>: the gateway's counters since its start.</summary>
public static class StatsEndpoint
{
    public static void MapStats(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/stats", (GatewayMetrics metrics, ConnectedClients clients, DeliveryLatency latency) => new
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
            latencyMs = latency.Report(),
        });
}
