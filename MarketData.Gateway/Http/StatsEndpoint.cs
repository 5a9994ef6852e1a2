namespace MarketData.Gateway.Http;

/// <summary><c>GET /stats</c>: the gateway's counters since its start.</summary>
public static class StatsEndpoint
{
    public static void MapStats(this WebApplication app) => app.MapGet("/stats", (GatewayMetrics metrics) => new
    {
        clients = metrics.Clients,
        messagesReceived = metrics.MessagesIn,
        messagesSent = metrics.MessagesOut,
        bytesSent = metrics.BytesOut,
        conflations = metrics.Conflations,
        slowClientsClosed = metrics.SlowClosed,
        repairs = metrics.Repairs,
        unreadableMessages = metrics.Unreadable,
    });
}
