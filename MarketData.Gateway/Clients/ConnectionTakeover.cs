using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace MarketData.Gateway.Clients;

/// <summary>
/// Lets a WebSocket on a plain-text connection outlive the HTTP request that began it. The request ends with the answer to the handshake,
/// and what the server holds for a request, several times what a client costs the gateway, is free for as long as the client stays.
/// </summary>
internal sealed class ConnectionTakeover : IConnectionHeartbeatFeature
{
    private readonly IConnectionHeartbeatFeature? _heartbeat;
    private volatile Action? _onHeartbeat;
    private Func<Task>? _continuation;

    private ConnectionTakeover(ConnectionContext connection)
    {
        Connection = connection;
        _heartbeat = connection.Features.Get<IConnectionHeartbeatFeature>();
        connection.Features.Set<IConnectionHeartbeatFeature>(this);
        connection.Features.Set(this);
    }

    /// <summary>The connection itself, without what the server puts around it for HTTP.</summary>
    public ConnectionContext Connection { get; }

    /// <summary>Middleware around everything else that a connection goes through.</summary>
    public static async Task RunAsync(ConnectionDelegate next, ConnectionContext connection)
    {
        var takeover = new ConnectionTakeover(connection);
        try
        {
            await next(connection);
        }
        finally
        {
            // The server's time limits for requests end here, and nothing refers to the request any more.
            takeover._onHeartbeat = null;
            if (takeover._continuation is { } continuation) await continuation();
        }
    }

    /// <summary>Has the connection served by somebody else once the request on it has ended. Until then nothing may be read from it.</summary>
    /// <param name="serve">Ends when the connection is to be closed.</param>
    public void Continue(Func<Task> serve) => _continuation = serve;

    void IConnectionHeartbeatFeature.OnHeartbeat(Action<object> action, object state)
    {
        if (_onHeartbeat == null) _heartbeat?.OnHeartbeat(static takeover => ((ConnectionTakeover)takeover)._onHeartbeat?.Invoke(), this);
        _onHeartbeat += () => action(state);
    }
}
