using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Admission;

/// <summary>
/// Cuts off connections that do not come to their first request in time. The server's own timeout for headers begins with the first
/// byte, and until then it would wait as long as for the next request of a connection in use.
/// </summary>
internal sealed class HandshakeDeadline(IOptions<AdmissionOptions> options, TimeProvider time) : IConfigureOptions<KestrelServerOptions>
{
    private readonly TimeSpan _limit = TimeSpan.FromSeconds(options.Value.HandshakeSeconds);

    public void Configure(KestrelServerOptions kestrel)
    {
        kestrel.Limits.RequestHeadersTimeout = _limit;
        kestrel.ConfigureHttpsDefaults(https => https.HandshakeTimeout = _limit);
    }

    /// <summary>Middleware that ends the watch over a connection when a request has arrived on it.</summary>
    public static Task MeetAsync(HttpContext context, RequestDelegate next)
    {
        context.Features.Get<Watch>()?.Timer.Dispose();
        return next(context);
    }

    /// <summary>Middleware that begins the watch over a new connection.</summary>
    public async Task WatchAsync(ConnectionDelegate next, ConnectionContext connection)
    {
        await using var timer = time.CreateTimer(
            static connection => ((ConnectionContext)connection!).Abort(new ConnectionAbortedException("No request came in time.")), connection, _limit, Timeout.InfiniteTimeSpan);
        connection.Features.Set(new Watch(timer));
        await next(connection);
        connection.Features.Set<Watch>(null);
    }

    private sealed record Watch(ITimer Timer);
}
