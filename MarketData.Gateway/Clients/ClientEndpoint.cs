using MarketData.Gateway.Admission;
using MarketData.Gateway.Fanout;
using MarketData.Gateway.Feed;
using MarketData.ServiceDefaults.WebSockets;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Clients;

/// <summary>Accepts clients on <c>/ws/market-data</c>.</summary>
internal sealed class ClientEndpoint(
    AdmissionGate gate,
    ConnectedClients clients,
    FeedInbox feed,
    FanoutService fanout,
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
        else await AcceptAsync(context, permit!);
    }

    private async Task AcceptAsync(HttpContext context, ClientPermit permit)
    {
        UpgradedConnection connection;
        try
        {
            connection = await WebSocketHandshake.AcceptAsync(context);
        }
        catch
        {
            permit.Dispose();
            throw;
        }

        if (connection.Takeover is { } takeover) takeover.Continue(() => ServeAsync(connection, permit));
        else await ServeAsync(connection, permit);
    }

    private async Task ServeAsync(UpgradedConnection connection, ClientPermit permit)
    {
        using var place = permit;
        using var reader = new WebSocketReader(connection.Stream, options.Value.MaxRequestBytes, connection.IsDeflated);
        var client = fanout.Connect(permit, connection);
        clients.Add(client);
        try
        {
            await new ClientSession(client, reader, connection.Abort, feed, time, logger).RunAsync();
        }
        finally
        {
            clients.Remove(client);
            if (client.Close is { } close) metrics.Closed((int)close.Status);
        }
    }
}
