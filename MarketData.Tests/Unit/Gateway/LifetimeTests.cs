using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using MarketData.Gateway;
using MarketData.Tests.Unit.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace MarketData.Tests.Unit.Gateway;

public sealed class LifetimeTests
{
    [Fact]
    public async Task A_stop_tells_every_client_1001_and_does_not_wait_for_the_one_that_sleeps()
    {
        await using var gateway = await GatewayHost.StartAsync();
        await using var idle = await gateway.ConnectAsync();
        await using var subscribed = await gateway.ConnectAsync();
        await using var asleep = await gateway.ConnectAsync();
        await subscribed.SubscribeAsync("all");
        asleep.Stall();

        await gateway.StopAsync().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        Assert.Equal((1001, "The gateway is stopping: connect to another one, or later."), await idle.ClosedAsync());
        Assert.Equal(1001, (await subscribed.ClosedAsync()).Code);
    }

    [Fact]
    public async Task The_HTTP_request_of_a_client_ends_with_its_handshake_and_the_connection_goes_on()
    {
        await using var gateway = await GatewayHost.StartAsync();
        var meters = gateway.Services.GetRequiredService<IMeterFactory>();
        var ended = new ConcurrentQueue<object?>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "http.server.request.duration" && instrument.Meter.Scope == meters) listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) => ended.Enqueue(tags.ToArray().Single(tag => tag.Key == "http.response.status_code").Value));
        listener.Start();

        await using var client = await gateway.ConnectAsync();
        await Eventually.TrueAsync(() => ended.Contains(101), () => "the request ends");

        await client.PingAsync();
        Assert.Equal(1, await gateway.StatAsync("clients"));
    }

    [Fact]
    public async Task What_a_client_sends_right_behind_its_handshake_is_heard()
    {
        await using var gateway = await GatewayHost.StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(gateway.Endpoint.Host, gateway.Endpoint.Port, TestContext.Current.CancellationToken);
        var ping = """{"action":"ping"}"""u8;
        await client.GetStream().WriteAsync(
            (byte[])
            [
                .. "GET /ws/market-data HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"u8,
                .. "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"u8,
                // Masked with zeros.
                0x81, (byte)(0x80 | ping.Length), 0, 0, 0, 0, .. ping,
            ],
            TestContext.Current.CancellationToken);

        var answer = new StringBuilder();
        var buffer = new byte[1024];
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!answer.ToString().Contains("\"pong\"", StringComparison.Ordinal))
        {
            int read = await client.GetStream().ReadAsync(buffer, limit.Token);
            Assert.NotEqual(0, read);
            answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        Assert.StartsWith("HTTP/1.1 101", answer.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_gateway_starts_with_Redis_and_Kafka_down_and_serves_once_they_are_there()
    {
        using var kafka = new ClosedPort();
        var redisPort = new ClosedPort();
        int port = redisPort.Number;
        await using var app = Build(redisPort.Address + ",password=late", kafka.Address);
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/alive", TestContext.Current.CancellationToken)).StatusCode);
        await using var client = await GatewayConnection.OpenAsync(new Uri($"ws{app.Urls.First()[4..]}/ws/market-data"));
        await client.SubscribeAsync("LATER:orderbook_delta", "all");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync("/api/markets", TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync("/api/markets/LATER/book", TestContext.Current.CancellationToken)).StatusCode);

        redisPort.Dispose();
        await using var redis = new RedisServer(port, "late");
        await using var connection = await redis.ConnectAsync();
        var market = new MarketSource(connection, "LATER");
        market.Snapshot();
        await market.WriteKeyAsync();
        var book = new ClientBook();
        await book.FollowAsync(client, market);
        await market.SubscribedAsync("orderbook_delta");
        await market.AllSubscribedAsync();
        await market.PublishAsync(market.Delta());

        await book.FollowAsync(client, market);
    }

    [Fact]
    public async Task More_connections_than_allowed_get_503()
    {
        await using var gateway = await GatewayHost.StartAsync("--Gateway:MaxConnections=1");
        await using var first = await gateway.ConnectAsync();
        using var second = new ClientWebSocket();

        var refused = await Assert.ThrowsAsync<WebSocketException>(() => second.ConnectAsync(gateway.Endpoint, TestContext.Current.CancellationToken));
        await first.DisposeAsync();
        GatewayConnection? third = null;
        await Eventually.TrueAsync(
            () =>
            {
                try
                {
                    third = gateway.ConnectAsync().GetAwaiter().GetResult();
                }
                catch (WebSocketException)
                {
                    // Not free yet.
                }

                return third != null;
            },
            TimeSpan.FromSeconds(60),
            () => "a free place");

        Assert.Contains("503", refused.Message, StringComparison.Ordinal);
        await third!.DisposeAsync();
    }

    [Fact]
    public async Task A_client_that_answers_no_ping_is_dropped()
    {
        await using var gateway = await GatewayHost.StartAsync("--Gateway:PingSeconds=1");
        // Not a ClientWebSocket, which answers pings by itself.
        using var silent = new TcpClient();
        await silent.ConnectAsync(gateway.Endpoint.Host, gateway.Endpoint.Port, TestContext.Current.CancellationToken);
        await silent.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes(
            """
            GET /ws/market-data HTTP/1.1
            Host: gateway
            Connection: Upgrade
            Upgrade: websocket
            Sec-WebSocket-Version: 13
            Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==


            """.ReplaceLineEndings("\r\n")),
            TestContext.Current.CancellationToken);
        await using var awake = await gateway.ConnectAsync();
        await Eventually.TrueAsync(() => gateway.StatAsync("clients").GetAwaiter().GetResult() == 2, TimeSpan.FromSeconds(60), () => "two clients");

        await Eventually.TrueAsync(() => gateway.StatAsync("clients").GetAwaiter().GetResult() == 1, TimeSpan.FromSeconds(60), () => "the end of the silent client");

        await awake.PingAsync();
    }

    [Theory]
    [InlineData("Gateway__MaxRequestBytes=1", "Gateway:MaxRequestBytes must be 256 to 1048576 bytes.")]
    [InlineData("ConnectionStrings__redis=", "ConnectionStrings:redis is not set.")]
    [InlineData("ConnectionStrings__redis=127.0.0.1:abc", "ConnectionStrings:redis is no Redis connection string")]
    [InlineData("Gateway__StallSeconds=soon", "Gateway:StallSeconds")]
    [InlineData("Gateway__MaxConnectionsPerAddress=0", "Gateway:MaxConnectionsPerAddress must be 1 to 1000000.")]
    [InlineData("Gateway__AllowedOrigins=https://good.example,https://bad.example/path", "Gateway:AllowedOrigins has 'https://bad.example/path'")]
    [InlineData("Gateway__TrustedProxies=10.0.0.0/33", "Gateway:TrustedProxies has '10.0.0.0/33'")]
    [InlineData("Authentication__Enabled=true", "Authentication:Enabled is true, but nobody could connect")]
    [InlineData("Authentication__Jwt__Authority=http://example.com", "Authentication:Jwt:Authority is 'http://example.com', but must be an https URL")]
    [InlineData("Authentication__ApiKeys__acme__Sha256=plain", "Authentication:ApiKeys:acme:Sha256 must be 64 hexadecimal digits")]
    [InlineData("ASPNETCORE_URLS=nonsense", "nonsense")]
    [InlineData("ASPNETCORE_URLS=http://127.0.0.1:{taken}", "address already in use")]
    public async Task A_wrong_setting_ends_the_process_with_one_line_that_names_it(string setting, string message)
    {
        using ClosedPort redis = new(), kafka = new();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var (exitCode, output, error) = await GatewayProcess.RunAsync(new Dictionary<string, string>
        {
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["ConnectionStrings__redis"] = redis.Address,
            ["ConnectionStrings__kafka"] = kafka.Address,
            [setting.Split('=')[0]] = setting.Split('=')[1].Replace("{taken}", $"{((IPEndPoint)taken.LocalEndpoint).Port}", StringComparison.Ordinal),
        });

        Assert.Equal(1, exitCode);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    private static WebApplication Build(string redis, string kafka) => GatewayApplication.Build(
        ["--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=None", $"--ConnectionStrings:redis={redis}", $"--ConnectionStrings:kafka={kafka}"]);
}
