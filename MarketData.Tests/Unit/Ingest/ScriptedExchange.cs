using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>
/// An exchange on a free port whose every answer the test decides: the listing of markets by a function, each WebSocket connection by
/// what the test sends on it.
/// </summary>
internal sealed class ScriptedExchange : IAsyncDisposable
{
    private readonly Channel<ExchangeSession> _sessions = Channel.CreateUnbounded<ExchangeSession>();
    private readonly WebApplication _app;

    private ScriptedExchange(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        _app = builder.Build();
        _app.UseWebSockets();
        _app.MapGet("/trade-api/v2/markets", context =>
        {
            Interlocked.Increment(ref _listings);
            return Listing(context);
        });
        _app.MapGet("/trade-api/v2/markets/trades", context => Trades(context));
        _app.Map("/trade-api/ws/v2", async context =>
        {
            context.Response.StatusCode = Handshake(context.Request);
            if (context.Response.StatusCode != StatusCodes.Status200OK) return;
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await using var session = new ExchangeSession(socket);
            _sessions.Writer.TryWrite(session);
            await session.EndOfConnection;
        });
    }

    private int _listings;

    /// <summary>Answers <c>GET /markets</c>.</summary>
    public RequestDelegate Listing { get; set; } = Page("", "MKT-A", "MKT-B");

    /// <summary>Answers <c>GET /markets/trades</c>.</summary>
    public RequestDelegate Trades { get; set; } = context => context.Response.WriteAsJsonAsync(new { trades = Array.Empty<object>(), cursor = "" });

    /// <summary>Judges a handshake: 200 lets it through, any other status refuses it.</summary>
    public Func<HttpRequest, int> Handshake { get; set; } = _ => StatusCodes.Status200OK;

    /// <summary>How often <c>GET /markets</c> was asked.</summary>
    public int Listings => Volatile.Read(ref _listings);

    public string Url => _app.Urls.First();

    /// <param name="port">0 for a free one.</param>
    public static async Task<ScriptedExchange> StartAsync(int port = 0)
    {
        var exchange = new ScriptedExchange(port);
        await exchange._app.StartAsync(TestContext.Current.CancellationToken);
        return exchange;
    }

    /// <summary>One page of the listing.</summary>
    public static RequestDelegate Page(string? cursor, params string[] tickers) =>
        context => context.Response.WriteAsJsonAsync(new { markets = tickers.Select(ticker => new { ticker, status = "active" }), cursor });

    /// <summary>The next connection of the service.</summary>
    public async Task<ExchangeSession> AcceptAsync() =>
        await _sessions.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>The next connection of the service, all its subscriptions served: each book begins with a snapshot.</summary>
    public async Task<ExchangeSession> AcceptSubscribedAsync(int books = 2)
    {
        var session = await AcceptAsync();
        await session.ServeSubscriptionsAsync(books);
        return session;
    }

    public async ValueTask DisposeAsync()
    {
        while (_sessions.Reader.TryRead(out var session)) session.Cut();
        using var now = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}
