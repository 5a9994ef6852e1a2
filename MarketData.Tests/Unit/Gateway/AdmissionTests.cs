using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>Who comes in, and what the others are told before anything is upgraded.</summary>
public sealed class AdmissionTests
{
    [Fact]
    public async Task A_gateway_that_is_full_says_when_to_come_back()
    {
        await using var gateway = await GatewayHost.StartAsync("--Gateway:MaxConnections=1");
        await using var first = await gateway.ConnectAsync();

        var refusal = await gateway.RefusalAsync();

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "The gateway is full."), (refusal.Status, refusal.Error));
        Assert.True(refusal.RetryAfter > 0);
        Assert.Equal(1, (await gateway.GetAsync("/stats")).GetProperty("refused").GetProperty("full").GetInt64());
    }

    [Fact]
    public async Task An_address_has_its_share_of_connections_and_gets_a_place_back_when_one_ends()
    {
        await using var gateway = await GatewayHost.StartAsync("--Gateway:MaxConnectionsPerAddress=2");
        await using var first = await gateway.ConnectAsync();
        await using var second = await gateway.ConnectAsync();

        var refusal = await gateway.RefusalAsync();
        await first.CloseAsync();
        await first.ClosedAsync();
        await Eventually.TrueAsync(async () => await gateway.StatAsync("clients") == 1, () => "the end of the first client");
        await using var third = await gateway.ConnectAsync();

        Assert.Equal(HttpStatusCode.TooManyRequests, refusal.Status);
        Assert.StartsWith("The connections of address 127.0.0.1 are limited to 2", refusal.Error, StringComparison.Ordinal);
        Assert.True(refusal.RetryAfter > 0);
        await third.PingAsync();
        await second.PingAsync();
    }

    [Fact]
    public async Task Behind_a_trusted_proxy_each_client_has_its_own_address()
    {
        await using var gateway = await GatewayHost.StartAsync("--Gateway:MaxConnectionsPerAddress=1", "--Gateway:TrustedProxies=127.0.0.0/8, 10.0.0.9");
        await using var one = await gateway.ConnectAsync(("X-Forwarded-For", "203.0.113.1"));
        // Through two proxies that are trusted; what the client itself claims to be stands before and is not believed.
        await using var two = await gateway.ConnectAsync(("X-Forwarded-For", "203.0.113.1, 203.0.113.2, 10.0.0.9"));
        await using var six = await gateway.ConnectAsync(("X-Forwarded-For", "[2001:db8:0:1::1]:4711"));

        var again = await gateway.RefusalAsync(("X-Forwarded-For", "203.0.113.1"));
        var sameNetwork = await gateway.RefusalAsync(("X-Forwarded-For", "2001:db8:0:1:ffff::2"));

        Assert.StartsWith("The connections of address 203.0.113.1 are limited to 1", again.Error, StringComparison.Ordinal);
        Assert.StartsWith("The connections of address 2001:db8:0:1:: are limited to 1", sameNetwork.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_trusted_proxy_forwarded_addresses_are_not_believed()
    {
        await using var gateway = await GatewayHost.StartAsync("--Gateway:MaxConnectionsPerAddress=1");
        await using var one = await gateway.ConnectAsync(("X-Forwarded-For", "203.0.113.1"));

        var refusal = await gateway.RefusalAsync(("X-Forwarded-For", "203.0.113.2"));

        Assert.StartsWith("The connections of address 127.0.0.1 are limited to 1", refusal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_of_other_origins_are_refused_by_name_and_programs_are_no_pages()
    {
        await using var gateway = await GatewayHost.StartAsync("--Gateway:AllowedOrigins=https://Good.example, http://localhost:3000, https://port.example:443");
        await using var program = await gateway.ConnectAsync();
        await using var page = await gateway.ConnectAsync(("Origin", "https://good.example"));
        await using var local = await gateway.ConnectAsync(("Origin", "http://localhost:3000"));
        await using var ownPort = await gateway.ConnectAsync(("Origin", "https://port.example"));

        foreach (var origin in new[] { "https://evil.example", "http://good.example", "https://good.example:8443", "https://good.example.evil.example", "null" })
        {
            var refusal = await gateway.RefusalAsync(("Origin", origin));

            Assert.Equal(HttpStatusCode.Forbidden, refusal.Status);
            Assert.Contains($"'{origin}'", refusal.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Any_origin_may_connect_unless_some_are_named()
    {
        await using var gateway = await GatewayHost.StartAsync();

        await using var page = await gateway.ConnectAsync(("Origin", "https://anywhere.example"));

        await page.PingAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET /ws/market-data HTTP/1.1\r\nHost: gateway\r\n")]
    public async Task A_connection_without_a_whole_request_is_cut_off_in_time(string beginning)
    {
        await using var gateway = await GatewayHost.StartAsync("--Gateway:HandshakeSeconds=1");
        await using var quick = await gateway.ConnectAsync();
        using var slow = new TcpClient();
        await slow.ConnectAsync(gateway.Endpoint.Host, gateway.Endpoint.Port, TestContext.Current.CancellationToken);
        await slow.GetStream().WriteAsync(Encoding.ASCII.GetBytes(beginning), TestContext.Current.CancellationToken);

        await EndAsync(slow.GetStream()).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        // The other has been connected for longer.
        await quick.PingAsync();
    }

    [Fact]
    public async Task Too_many_messages_are_answered_with_errors_first_and_close_the_connection_in_the_end()
    {
        await using var gateway = await GatewayHost.StartAsync("--Gateway:MessagesPerSecond=1");
        await using var flood = await gateway.ConnectAsync();
        await using var modest = await gateway.ConnectAsync();

        for (int i = 0; i < 10; i++) await flood.PingAsync();
        var error = await flood.ErrorOfAsync("""{"action":"subscribe","channel":"all"}""");
        Assert.Equal("Too many messages: at most 1 a second; what exceeds that is not carried out.", error);
        Assert.Equal(0, await gateway.StatAsync("subscriptions"));
        var closed = flood.ClosedAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                if (!closed.IsCompleted) await flood.SendAsync("""{"action":"ping"}""");
                return closed.IsCompleted;
            },
            () => "the end of the flood");

        Assert.Equal((1008, "Too many messages: at most 1 a second; what exceeds that is not carried out."), await closed);
        await modest.PingAsync();
    }

    [Fact]
    public async Task A_client_that_subscribes_nothing_and_asks_nothing_is_closed_where_that_is_wanted()
    {
        await using var gateway = await GatewayHost.StartAsync("--Gateway:IdleSeconds=1");
        await using var subscriber = await gateway.ConnectAsync();
        await subscriber.SubscribeAsync("QUIET:trade");
        await using var idle = await gateway.ConnectAsync();

        Assert.Equal((1000, "Nothing subscribed and nothing asked for 1 s."), await idle.ClosedAsync());
        await subscriber.PingAsync();
        await subscriber.AskAsync("unsubscribe", "QUIET:trade");
        Assert.Equal(1000, (await subscriber.ClosedAsync()).Code);
    }

    private static async Task EndAsync(NetworkStream stream)
    {
        var buffer = new byte[1024];
        try
        {
            while (await stream.ReadAsync(buffer, TestContext.Current.CancellationToken) > 0)
            {
                // What the gateway says about it, if anything.
            }
        }
        catch (IOException)
        {
            // Cut off hard.
        }
    }
}
