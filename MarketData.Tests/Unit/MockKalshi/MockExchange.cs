using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using MarketData.MockKalshi;
using MarketData.MockKalshi.Exchange;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>The mock exchange in this process, on a free port of the loopback.</summary>
internal sealed class MockExchange : IAsyncDisposable
{
    private readonly WebApplication _application;

    private MockExchange(WebApplication application)
    {
        _application = application;
        Address = new Uri(application.Urls.Single());
        Http = new HttpClient { BaseAddress = new Uri(Address, "/trade-api/v2/"), Timeout = TimeSpan.FromSeconds(20) };
    }

    public Uri Address { get; }

    public HttpClient Http { get; }

    /// <summary>What stands behind the protocol.</summary>
    public IExchange Exchange => _application.Services.GetRequiredService<IExchange>();

    public Uri WebSocketAddress => new($"ws://{Address.Authority}/trade-api/ws/v2");

    public static Task<MockExchange> StartAsync(params string[] arguments) => StartAsync(Build(arguments));

    /// <summary>An exchange to which every peer seems to come from this address.</summary>
    public static Task<MockExchange> StartBehindAsync(IPAddress peer, params string[] arguments)
    {
        var application = Build(arguments);
        application.Use((HttpContext context, RequestDelegate next) =>
        {
            context.Connection.RemoteIpAddress = peer;
            return next(context);
        });
        return StartAsync(application);
    }

    private static WebApplication Build(string[] arguments) =>
        MockKalshiApplication.Build(["--urls", "http://127.0.0.1:0", "--Logging:LogLevel:Default", "Error", .. arguments]);

    private static async Task<MockExchange> StartAsync(WebApplication application)
    {
        await application.StartAsync(TestContext.Current.CancellationToken);
        return new MockExchange(application);
    }

    /// <summary>An exchange whose books stay as they began, so that a test sees only what its own commands cause.</summary>
    public static Task<MockExchange> StartStillAsync(params string[] arguments) => StartAsync(["--rate", "0", "--markets", "12", .. arguments]);

    public static Task<MockExchange> ReplayAsync(string file, double speed = 0, params string[] arguments) =>
        StartAsync(["--replay", file, "--speed", speed.ToString(CultureInfo.InvariantCulture), .. arguments]);

    public Task<ExchangeClient> ConnectAsync() => ExchangeClient.ConnectAsync(WebSocketAddress);

    public async Task<JsonNode> GetAsync(string path) =>
        JsonNode.Parse(await Http.GetStringAsync(path, TestContext.Current.CancellationToken))!;

    /// <summary>Tickers of open markets, in the listing's order.</summary>
    public async Task<string[]> TickersAsync()
    {
        var answer = await GetAsync("markets?status=open&limit=1000");
        return answer["markets"]!.AsArray().Select(market => (string)market!["ticker"]!).ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _application.StopAsync(CancellationToken.None);
        await _application.DisposeAsync();
    }
}
