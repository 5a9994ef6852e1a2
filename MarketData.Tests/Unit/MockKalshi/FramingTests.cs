using System.Diagnostics;
using System.Net;
using System.Text;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>Handshake, framing, keep-alive and closing as RFC 6455 asks and as the exchange does (protocol reference, section 1.3).</summary>
public class FramingTests
{
    private const string List = """{"id":1,"cmd":"list_subscriptions"}""";

    [Fact]
    public async Task The_handshake_answers_the_key_of_the_RFC_with_the_accept_of_the_RFC()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);

        Assert.StartsWith("HTTP/1.1 101 ", client.Handshake, StringComparison.Ordinal);
        Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", client.Handshake, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "8", "426")]
    [InlineData("c2hvcnQ=", "13", "400")]
    [InlineData("not base64 at all, no!!!", "13", "400")]
    public async Task A_wrong_handshake_is_refused(string key, string version, string status)
    {
        await using var exchange = await MockExchange.StartStillAsync();
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress, key, version);

        Assert.StartsWith($"HTTP/1.1 {status} ", client.Handshake, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_request_for_the_WebSocket_path_is_a_bad_request()
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var answer = await exchange.Http.GetAsync("/trade-api/ws/v2", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Pings_come_at_the_interval_and_carry_heartbeat()
    {
        await using var exchange = await MockExchange.StartStillAsync("--Connection:PingInterval", "00:00:00.050");
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);

        for (int i = 0; i < 3; i++)
        {
            var ping = await client.ReceiveAsync();
            Assert.Equal((RawClient.Ping, true, "heartbeat"), (ping.Opcode, ping.Final, ping.Text));
            await client.SendAsync(RawClient.Pong, ping.Payload);
        }
    }

    [Fact]
    public async Task A_ping_of_the_client_is_answered_with_its_payload_even_inside_a_fragmented_message()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);

        await client.SendAsync(RawClient.TextMessage, Encoding.UTF8.GetBytes(List[..10]), final: false);
        await client.SendAsync(RawClient.Ping, "are you there"u8.ToArray());
        var pong = await client.ReceiveAsync();
        await client.SendAsync(RawClient.Continuation, Encoding.UTF8.GetBytes(List[10..20]), final: false);
        await client.SendAsync(RawClient.Continuation, Encoding.UTF8.GetBytes(List[20..]));
        var reply = await client.ReceiveAsync();

        Assert.Equal((RawClient.Pong, "are you there"), (pong.Opcode, pong.Text));
        Assert.Equal((RawClient.TextMessage, """{"id":1,"type":"ok","msg":[]}"""), (reply.Opcode, reply.Text));
    }

    [Fact]
    public async Task A_message_that_arrives_byte_by_byte_is_read()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);

        foreach (byte value in RawClient.Compose(0x81, Encoding.UTF8.GetBytes(List))) await client.SendBytesAsync([value]);

        Assert.Equal("""{"id":1,"type":"ok","msg":[]}""", (await client.ReceiveAsync()).Text);
    }

    [Theory]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(300_001)]
    public async Task Messages_of_every_length_form_are_read(int length)
    {
        await using var exchange = await MockExchange.StartStillAsync();
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);

        await client.SendTextAsync(List.PadRight(length));

        Assert.Equal("""{"id":1,"type":"ok","msg":[]}""", (await client.ReceiveAsync()).Text);
    }

    public static TheoryData<string, byte[], int> Violations() => new()
    {
        { "unmasked", [0x81, 0x02, (byte)'{', (byte)'}'], 1002 },
        { "reserved bit", RawClient.Compose(0xC1, "{}"u8.ToArray()), 1002 },
        { "unknown opcode", RawClient.Compose(0x83, "{}"u8.ToArray()), 1002 },
        { "fragmented control frame", RawClient.Compose(0x09, []), 1002 },
        { "long control frame", RawClient.Compose(0x89, new byte[126]), 1002 },
        { "continuation of nothing", RawClient.Compose(0x80, "{}"u8.ToArray()), 1002 },
        { "message inside a message", [.. RawClient.Compose(0x01, "{"u8.ToArray()), .. RawClient.Compose(0x81, "}"u8.ToArray())], 1002 },
        { "text that is not UTF-8", RawClient.Compose(0x81, [0x22, 0xC3, 0x28, 0x22]), 1007 },
        { "close with one byte", RawClient.Compose(0x88, [0x03]), 1002 },
        { "close with a code that may not be sent", RawClient.Compose(0x88, [0x03, 0xED]), 1002 },
        { "close reason that is not UTF-8", RawClient.Compose(0x88, [0x03, 0xE8, 0xFF]), 1007 },
        { "length with the top bit", [0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], 1002 },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task A_broken_frame_closes_that_connection_with_its_code_and_no_other(string what, byte[] bytes, int code)
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var bystander = await exchange.ConnectAsync();
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);

        await client.SendBytesAsync(bytes);
        var close = await client.ReceiveAsync(RawClient.Close);
        await client.SendAsync(RawClient.Close, close.Payload[..2]);

        Assert.True(close.CloseCode == code, $"{what}: {close.CloseCode}");
        Assert.True(await client.EndsAsync());
        Assert.Equal("ok", (await bystander.AskAsync(List)).Type);
    }

    [Fact]
    public async Task A_message_over_the_limit_closes_with_1009_before_it_has_arrived()
    {
        await using var exchange = await MockExchange.StartStillAsync("--Connection:MaxMessageBytes", "2048");
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);

        await client.SendBytesAsync(RawClient.Compose(0x81, new byte[4096])[..64]);

        Assert.Equal(1009, (await client.ReceiveAsync(RawClient.Close)).CloseCode);
    }

    [Fact]
    public async Task A_close_without_a_code_is_answered_with_one_without_a_code()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);

        await client.SendAsync(RawClient.Close, []);

        Assert.Empty((await client.ReceiveAsync(RawClient.Close)).Payload);
        Assert.True(await client.EndsAsync());
    }

    [Fact]
    public async Task Stopping_the_exchange_says_going_away()
    {
        var exchange = await MockExchange.StartStillAsync();
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);

        var stopping = exchange.DisposeAsync().AsTask();
        var close = await client.ReceiveAsync(RawClient.Close);
        await client.SendAsync(RawClient.Close, close.Payload[..2]);

        Assert.Equal(1001, close.CloseCode);
        await stopping.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_client_that_takes_nothing_is_disconnected_after_the_stall_timeout()
    {
        await using var exchange = await MockExchange.StartAsync(
            "--rate", "50000", "--markets", "4", "--Connection:StallTimeout", "00:00:00.300", "--Connection:StreamBuffer", "10000000");
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);
        await client.SendTextAsync(CommandTests.Subscribe(1, await exchange.TickersAsync()));

        // Nothing is read; the reset that ends the connection shows in a write.
        var patience = Stopwatch.StartNew();
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (patience.Elapsed < TimeSpan.FromMinutes(1))
            {
                await client.SendAsync(RawClient.Pong, []);
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        });
    }
}
