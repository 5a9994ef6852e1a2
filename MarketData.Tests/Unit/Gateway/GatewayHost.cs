using System.Text.Json;
using MarketData.Gateway;
using MarketData.ServiceDefaults.Redis;
using MarketData.Tests.Unit.ServiceDefaults;
using Microsoft.AspNetCore.Builder;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>The real gateway in this process on a free port, with a Redis of its own and no Kafka.</summary>
public class GatewayHost : IAsyncLifetime
{
    private readonly ClosedPort _kafka = new();
    private readonly string[] _settings;
    private WebApplication? _app;
    private RedisServer? _redis;

    public GatewayHost()
        : this([])
    {
    }

    /// <param name="settings">As on the command line: <c>--Gateway:PingSeconds=1</c>.</param>
    protected GatewayHost(params string[] settings) => _settings = settings;

    public HttpClient Http { get; } = new() { Timeout = TimeSpan.FromSeconds(30) };

    internal RedisServer Redis => _redis!;

    internal IServiceProvider Services => _app!.Services;

    /// <summary>Whether the Redis of this gateway keeps its data over a restart.</summary>
    protected virtual bool IsRedisDurable => false;

    public Uri Endpoint => new($"ws{_app!.Urls.First()[4..]}/ws/market-data");

    internal static async Task<GatewayHost> StartAsync(params string[] settings)
    {
        var host = new GatewayHost(settings);
        await host.InitializeAsync();
        return host;
    }

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync(IsRedisDurable);
        _app = GatewayApplication.Build(
        [
            "--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=None", $"--ConnectionStrings:redis={_redis.ConnectionString}",
            $"--ConnectionStrings:kafka={_kafka.Address}", .. _settings,
        ]);
        await _app.StartAsync(TestContext.Current.CancellationToken);
        Http.BaseAddress = new Uri(_app.Urls.First());
    }

    public Task StopAsync() => _app!.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_app != null) await _app.DisposeAsync();
        if (_redis != null) await _redis.DisposeAsync();
        _kafka.Dispose();
        GC.SuppressFinalize(this);
    }

    internal Task<RespConnection> ConnectRedisAsync() => Redis.ConnectAsync();

    internal Task<GatewayConnection> ConnectAsync(params (string Name, string Value)[] headers) => GatewayConnection.OpenAsync(Endpoint, options =>
    {
        foreach (var (name, value) in headers) options.SetRequestHeader(name, value);
    });

    /// <summary>Asks for a WebSocket and returns the answer of a gateway that refuses.</summary>
    internal async Task<HttpRefusal> RefusalAsync(params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/ws/market-data")
        {
            Headers = { { "Connection", "Upgrade" }, { "Upgrade", "websocket" }, { "Sec-WebSocket-Version", "13" }, { "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==" } },
        };
        foreach (var (name, value) in headers) request.Headers.Add(name, value);
        return await HttpRefusal.ReadAsync(await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken));
    }

    internal async Task<JsonElement> GetAsync(string path)
    {
        using var document = JsonDocument.Parse(await Http.GetStringAsync(path, TestContext.Current.CancellationToken));
        return document.RootElement.Clone();
    }

    /// <summary>The status of one check of <c>/health</c>.</summary>
    internal async Task<string?> HealthAsync(string check)
    {
        using var response = await Http.GetAsync("/health", TestContext.Current.CancellationToken);
        using var report = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return report.RootElement.GetProperty("checks").EnumerateArray().Single(entry => entry.GetProperty("name").GetString() == check).GetProperty("status").GetString();
    }

    internal async Task<long> StatAsync(string name) => (await GetAsync("/stats")).GetProperty(name).GetInt64();
}
