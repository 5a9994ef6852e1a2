using System.IO.Compression;
using System.Text;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>What RFC 6455, sections 5 and 7, and RFC 7692 demand of a server, frame by frame.</summary>
public sealed class WebSocketFramingTests(WebSocketFramingTests.OpenHost gateway) : IClassFixture<WebSocketFramingTests.OpenHost>
{
    private const byte Text = 0x81, Binary = 0x82, TextBegins = 0x01, Continues = 0x00, Ends = 0x80, Close = 0x88, Ping = 0x89, Pong = 0x8a;
    private const string Request = """{"action":"ping"}""";
    private static readonly int FuzzedFrames = Environment.GetEnvironmentVariable("MARKETDATA_SOAK") == "1" ? 100_000 : 2_000;

    [Fact]
    public async Task The_handshake_is_answered_with_the_key_of_the_specification()
    {
        using var socket = await OpenAsync();
        Assert.StartsWith("HTTP/1.1 101 ", socket.Handshake, StringComparison.Ordinal);
        Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", socket.Handshake, StringComparison.Ordinal);
        Assert.DoesNotContain("Extensions", socket.Handshake, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(17)]
    public async Task A_message_in_fragments_is_put_together(int fragments)
    {
        using var socket = await OpenAsync();
        await socket.SendBytesAsync(Fragments(Request, fragments));
        Assert.Contains("\"pong\"", await TextAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_may_come_one_by_one()
    {
        using var socket = await OpenAsync();
        foreach (byte one in RawClient.Compose(Text, Request)) await socket.SendBytesAsync([one]);
        Assert.Contains("\"pong\"", await TextAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_messages_may_come_at_once()
    {
        using var socket = await OpenAsync();
        await socket.SendBytesAsync([.. Enumerable.Repeat(RawClient.Compose(Text, Request), 300).SelectMany(frame => frame)]);
        for (int i = 0; i < 300; i++) Assert.Contains("\"pong\"", await TextAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Control_frames_between_fragments_are_answered_at_once()
    {
        using var socket = await OpenAsync();
        await socket.SendBytesAsync([.. RawClient.Compose(TextBegins, Request[..5]), .. RawClient.Compose(Ping, "between"), .. RawClient.Compose(Pong, "unasked")]);
        Assert.Equal((Pong, "between"), await NextControlAsync(socket));
        await socket.SendBytesAsync(RawClient.Compose(Ends, Request[5..]));
        Assert.Contains("\"pong\"", await TextAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_ping_is_answered_with_its_payload()
    {
        using var socket = await OpenAsync();
        string longest = new('p', 125);
        await socket.SendBytesAsync(RawClient.Compose(Ping, longest));
        Assert.Equal((Pong, longest), await NextControlAsync(socket));
        await socket.SendBytesAsync(RawClient.Compose(Ping, ""));
        Assert.Equal((Pong, ""), await NextControlAsync(socket));
    }

    public static TheoryData<string, byte[], int> Breaches => new()
    {
        { "first reserved bit", RawClient.Compose(0xc1, Request), 1002 },
        { "second reserved bit", RawClient.Compose(0xa1, Request), 1002 },
        { "third reserved bit", RawClient.Compose(0x91, Request), 1002 },
        { "reserved bit of a ping", RawClient.Compose(0xc9, ""), 1002 },
        { "unknown data opcode", RawClient.Compose(0x83, ""), 1002 },
        { "unknown control opcode", RawClient.Compose(0x8b, ""), 1002 },
        { "not masked", [Text, 0x01, (byte)'x'], 1002 },
        { "a ping in fragments", RawClient.Compose(0x09, ""), 1002 },
        { "a ping of 126 bytes", RawClient.Compose(Ping, new string('p', 126)), 1002 },
        { "continuation of nothing", RawClient.Compose(Continues, "x"), 1002 },
        { "last continuation of nothing", RawClient.Compose(Ends, "x"), 1002 },
        { "a message within another", [.. RawClient.Compose(TextBegins, "{"), .. RawClient.Compose(Text, Request)], 1002 },
        { "length with its highest bit", [Text, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4], 1002 },
        { "length of 2 bytes in 16 bits", [Text, 0xfe, 0, 2, 0, 0, 0, 0, (byte)'{', (byte)'}'], 1002 },
        { "length of 2 bytes in 64 bits", [Text, 0xff, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, (byte)'{', (byte)'}'], 1002 },
        { "a message of 4097 bytes", RawClient.Compose(Text, new string('x', 4097)), 1009 },
        { "fragments of 4097 bytes", [.. RawClient.Compose(TextBegins, new string('x', 4000)), .. RawClient.Compose(Ends, new string('x', 97))], 1009 },
        { "a length of gigabytes", [Text, 0xff, 0, 0, 0, 8, 0, 0, 0, 0, 1, 2, 3, 4], 1009 },
        { "text that is no UTF-8", RawClient.Compose(Text, [(byte)'"', 0xc3, 0x28, (byte)'"']), 1007 },
        { "text that ends within a character", RawClient.Compose(Text, [0xe2, 0x82]), 1007 },
        { "half a surrogate pair", RawClient.Compose(Text, [0xed, 0xa0, 0x80]), 1007 },
        { "half a close code", RawClient.Compose(Close, [3]), 1002 },
        { "close code 1005", RawClient.Compose(Close, [3, 0xed]), 1002 },
        { "close code 999", RawClient.Compose(Close, [3, 0xe7]), 1002 },
        { "close code 1016", RawClient.Compose(Close, [3, 0xf8]), 1002 },
        { "close code 5000", RawClient.Compose(Close, [0x13, 0x88]), 1002 },
        { "close reason that is no UTF-8", RawClient.Compose(Close, [3, 0xe8, 0xff]), 1007 },
    };

    [Theory]
    [MemberData(nameof(Breaches))]
    public async Task A_breach_closes_with_its_code(string what, byte[] bytes, int code)
    {
        using var socket = await OpenAsync();
        await socket.SendBytesAsync(bytes);
        Assert.True(code == await ClosedAsync(socket), what);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(1001)]
    [InlineData(1011)]
    [InlineData(3000)]
    [InlineData(4999)]
    public async Task A_close_is_answered_with_its_code(int code)
    {
        using var socket = await OpenAsync();
        await socket.SendBytesAsync(RawClient.Compose(Close, [(byte)(code >> 8), (byte)code, .. "bye"u8]));
        Assert.Equal(code, await ClosedAsync(socket));
    }

    [Fact]
    public async Task A_close_without_a_code_is_answered_with_1000()
    {
        using var socket = await OpenAsync();
        await socket.SendBytesAsync(RawClient.Compose(Close, ""));
        Assert.Equal(1000, await ClosedAsync(socket));
    }

    [Fact]
    public async Task UTF_8_may_be_cut_between_fragments()
    {
        using var socket = await OpenAsync();
        byte[] request = Encoding.UTF8.GetBytes("""{"action":"€"}""");
        await socket.SendBytesAsync([.. RawClient.Compose(TextBegins, request[..12]), .. RawClient.Compose(Ends, request[12..])]);
        Assert.Contains("Unknown action '€'", await TextAsync(socket), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("permessage-deflate", true)]
    [InlineData("permessage-deflate; client_max_window_bits", true)]
    [InlineData("permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=10", true)]
    [InlineData("permessage-deflate; server_max_window_bits=10, permessage-deflate", true)]
    [InlineData("permessage-deflate; server_max_window_bits=10", false)]
    [InlineData("permessage-deflate; unknown", false)]
    [InlineData("x-webkit-deflate-frame", false)]
    public async Task Compression_is_agreed_on_when_the_offer_can_be_served(string offer, bool isAccepted)
    {
        using var socket = await OpenAsync(offer);
        Assert.Equal(isAccepted, socket.Handshake.Contains("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Compressed_messages_go_both_ways_and_are_those_that_others_get_plain()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "DEFLATE");
        using var compressed = await OpenAsync("permessage-deflate");
        await using var plain = await gateway.ConnectAsync();
        await compressed.SendBytesAsync(RawClient.Compose(0xc1, Deflate("""{"action":"subscribe","channel":"DEFLATE:orderbook_delta"}""")));
        Assert.Contains("\"subscribed\"", (await compressed.ReceiveAsync()).Text, StringComparison.Ordinal);
        await plain.SubscribeAsync("DEFLATE:orderbook_delta");
        await market.SubscribedAsync("orderbook_delta");
        await market.PublishAsync(market.Snapshot(), market.Delta(), market.Delta());

        for (int i = 0; i < 3; i++)
        {
            var frame = await compressed.ReceiveAsync();
            Assert.Equal((RawClient.TextMessage, true, true), (frame.Opcode, frame.Final, frame.Compressed));
            Assert.Equal(Encoding.UTF8.GetString(await plain.NextBytesAsync()), Inflate(frame.Payload));
        }
    }

    [Theory]
    [InlineData(5000, 1009)]
    [InlineData(-1, 1007)]
    public async Task A_compressed_message_that_is_too_large_or_no_such_thing_closes(int length, int code)
    {
        using var socket = await OpenAsync("permessage-deflate");
        await socket.SendBytesAsync(RawClient.Compose(0xc1, length < 0 ? [0xff, 0xff, 0xff] : Deflate(new string('x', length))));
        Assert.Equal(code, await ClosedAsync(socket));
    }

    [Fact]
    public async Task Fuzzed_frames_crash_nothing_and_leave_others_alone()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "FUZZ");
        await using var other = await gateway.ConnectAsync();
        await other.SubscribeAsync("FUZZ:orderbook_delta");
        await market.SubscribedAsync("orderbook_delta");
        await market.PublishAsync(market.Snapshot());
        var book = new ClientBook();
        var random = new Random(6455);
        for (int sent = 0; sent < FuzzedFrames;)
        {
            using var socket = await OpenAsync(random.Next(2) == 0 ? "permessage-deflate" : null);
            int frames = random.Next(1, 50);
            try
            {
                await socket.SendBytesAsync([.. Enumerable.Range(0, frames).SelectMany(_ => Fuzzed(random))]);
            }
            catch (IOException)
            {
                // Closed in between.
            }

            sent += frames;
            await market.PublishAsync(market.Delta());
        }

        await book.FollowAsync(other, market);
        await other.PingAsync();
    }

    private static byte[] Fuzzed(Random random)
    {
        var payload = new byte[random.Next(4) == 0 ? random.Next(5000) : random.Next(40)];
        if (random.Next(3) == 0) random.NextBytes(payload);
        else Encoding.ASCII.GetBytes(Request.AsSpan(0, Math.Min(Request.Length, payload.Length)), payload);
        byte first = random.Next(3) == 0 ? (byte)random.Next(256) : random.Next(2) == 0 ? Text : new byte[] { Binary, Ping, Pong, TextBegins, Ends, Continues, Close }[random.Next(7)];
        var frame = RawClient.Compose(first, payload);
        if (random.Next(5) == 0) frame[random.Next(frame.Length)] ^= (byte)(1 << random.Next(8));
        return random.Next(10) == 0 ? frame[..random.Next(1, frame.Length)] : frame;
    }

    /// <summary>Connects and takes the greeting.</summary>
    private async Task<RawClient> OpenAsync(string? extensions = null)
    {
        var client = await RawClient.ConnectAsync(gateway.Endpoint, extensions: extensions);
        Assert.Contains("\"type\":\"connected\"", await TextAsync(client), StringComparison.Ordinal);
        return client;
    }

    /// <summary>The next frame, which must be a whole text.</summary>
    private static async Task<string> TextAsync(RawClient client)
    {
        var frame = await client.ReceiveAsync();
        Assert.Equal((RawClient.TextMessage, true, false), (frame.Opcode, frame.Final, frame.Compressed));
        return frame.Text;
    }

    /// <summary>Skips to the gateway's close frame; behind it the connection ends.</summary>
    private static async Task<int> ClosedAsync(RawClient client)
    {
        var close = await client.ReceiveAsync(RawClient.Close);
        client.EndSending();
        Assert.True(await client.EndsAsync());
        return close.CloseCode;
    }

    private static async Task<(byte First, string Payload)> NextControlAsync(RawClient client)
    {
        var frame = await client.ReceiveAsync();
        return ((byte)((frame.Final ? 0x80 : 0) | frame.Opcode), frame.Text);
    }

    private static byte[] Fragments(string message, int count)
    {
        int size = (message.Length + count - 1) / count;
        var pieces = message.Chunk(size).Select(piece => new string(piece)).ToList();
        return [.. pieces.SelectMany((piece, i) => RawClient.Compose((byte)((i == 0 ? 1 : 0) | (i == pieces.Count - 1 ? 0x80 : 0)), piece))];
    }

    private static byte[] Deflate(string message)
    {
        using var target = new MemoryStream();
        using (var deflate = new DeflateStream(target, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(Encoding.UTF8.GetBytes(message));
            deflate.Flush();
            return target.ToArray()[..^4];
        }
    }

    private static string Inflate(byte[] payload)
    {
        using var source = new MemoryStream([.. payload, 0, 0, 0xff, 0xff]);
        using var inflate = new DeflateStream(source, CompressionMode.Decompress);
        using var reader = new StreamReader(inflate);
        return reader.ReadToEnd();
    }

    /// <summary>Takes more requests than a client may send.</summary>
    public sealed class OpenHost() : GatewayHost("--Gateway:MessagesPerSecond=1000000");
}
