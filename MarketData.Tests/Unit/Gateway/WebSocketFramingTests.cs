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
        Assert.StartsWith("HTTP/1.1 101 ", socket.Answer, StringComparison.Ordinal);
        Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", socket.Answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Extensions", socket.Answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(17)]
    public async Task A_message_in_fragments_is_put_together(int fragments)
    {
        using var socket = await OpenAsync();
        await socket.SendAsync(Fragments(Request, fragments));
        Assert.Contains("\"pong\"", await socket.NextTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_may_come_one_by_one()
    {
        using var socket = await OpenAsync();
        foreach (byte one in RawWebSocket.Frame(Text, Request)) await socket.SendAsync([one]);
        Assert.Contains("\"pong\"", await socket.NextTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_messages_may_come_at_once()
    {
        using var socket = await OpenAsync();
        await socket.SendAsync([.. Enumerable.Repeat(RawWebSocket.Frame(Text, Request), 300)]);
        for (int i = 0; i < 300; i++) Assert.Contains("\"pong\"", await socket.NextTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Control_frames_between_fragments_are_answered_at_once()
    {
        using var socket = await OpenAsync();
        await socket.SendAsync(RawWebSocket.Frame(TextBegins, Request[..5]), RawWebSocket.Frame(Ping, "between"), RawWebSocket.Frame(Pong, "unasked"));
        Assert.Equal((Pong, "between"), await NextControlAsync(socket));
        await socket.SendAsync(RawWebSocket.Frame(Ends, Request[5..]));
        Assert.Contains("\"pong\"", await socket.NextTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_ping_is_answered_with_its_payload()
    {
        using var socket = await OpenAsync();
        string longest = new('p', 125);
        await socket.SendAsync(RawWebSocket.Frame(Ping, longest));
        Assert.Equal((Pong, longest), await NextControlAsync(socket));
        await socket.SendAsync(RawWebSocket.Frame(Ping, ""));
        Assert.Equal((Pong, ""), await NextControlAsync(socket));
    }

    public static TheoryData<string, byte[], int> Breaches => new()
    {
        { "first reserved bit", RawWebSocket.Frame(0xc1, Request), 1002 },
        { "second reserved bit", RawWebSocket.Frame(0xa1, Request), 1002 },
        { "third reserved bit", RawWebSocket.Frame(0x91, Request), 1002 },
        { "reserved bit of a ping", RawWebSocket.Frame(0xc9, ""), 1002 },
        { "unknown data opcode", RawWebSocket.Frame(0x83, ""), 1002 },
        { "unknown control opcode", RawWebSocket.Frame(0x8b, ""), 1002 },
        { "not masked", [Text, 0x01, (byte)'x'], 1002 },
        { "a ping in fragments", RawWebSocket.Frame(0x09, ""), 1002 },
        { "a ping of 126 bytes", RawWebSocket.Frame(Ping, new string('p', 126)), 1002 },
        { "continuation of nothing", RawWebSocket.Frame(Continues, "x"), 1002 },
        { "last continuation of nothing", RawWebSocket.Frame(Ends, "x"), 1002 },
        { "a message within another", [.. RawWebSocket.Frame(TextBegins, "{"), .. RawWebSocket.Frame(Text, Request)], 1002 },
        { "length with its highest bit", [Text, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4], 1002 },
        { "length of 2 bytes in 16 bits", [Text, 0xfe, 0, 2, 0, 0, 0, 0, (byte)'{', (byte)'}'], 1002 },
        { "length of 2 bytes in 64 bits", [Text, 0xff, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, (byte)'{', (byte)'}'], 1002 },
        { "a message of 4097 bytes", RawWebSocket.Frame(Text, new string('x', 4097)), 1009 },
        { "fragments of 4097 bytes", [.. RawWebSocket.Frame(TextBegins, new string('x', 4000)), .. RawWebSocket.Frame(Ends, new string('x', 97))], 1009 },
        { "a length of gigabytes", [Text, 0xff, 0, 0, 0, 8, 0, 0, 0, 0, 1, 2, 3, 4], 1009 },
        { "text that is no UTF-8", RawWebSocket.Frame(Text, [(byte)'"', 0xc3, 0x28, (byte)'"']), 1007 },
        { "text that ends within a character", RawWebSocket.Frame(Text, [0xe2, 0x82]), 1007 },
        { "half a surrogate pair", RawWebSocket.Frame(Text, [0xed, 0xa0, 0x80]), 1007 },
        { "half a close code", RawWebSocket.Frame(Close, [3]), 1002 },
        { "close code 1005", RawWebSocket.Frame(Close, [3, 0xed]), 1002 },
        { "close code 999", RawWebSocket.Frame(Close, [3, 0xe7]), 1002 },
        { "close code 1016", RawWebSocket.Frame(Close, [3, 0xf8]), 1002 },
        { "close code 5000", RawWebSocket.Frame(Close, [0x13, 0x88]), 1002 },
        { "close reason that is no UTF-8", RawWebSocket.Frame(Close, [3, 0xe8, 0xff]), 1007 },
    };

    [Theory]
    [MemberData(nameof(Breaches))]
    public async Task A_breach_closes_with_its_code(string what, byte[] bytes, int code)
    {
        using var socket = await OpenAsync();
        await socket.SendAsync(bytes);
        Assert.True(code == await socket.ClosedAsync(), what);
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
        await socket.SendAsync(RawWebSocket.Frame(Close, [(byte)(code >> 8), (byte)code, .. "bye"u8]));
        Assert.Equal(code, await socket.ClosedAsync());
    }

    [Fact]
    public async Task A_close_without_a_code_is_answered_with_1000()
    {
        using var socket = await OpenAsync();
        await socket.SendAsync(RawWebSocket.Frame(Close, ""));
        Assert.Equal(1000, await socket.ClosedAsync());
    }

    [Fact]
    public async Task UTF_8_may_be_cut_between_fragments()
    {
        using var socket = await OpenAsync();
        byte[] request = Encoding.UTF8.GetBytes("""{"action":"€"}""");
        await socket.SendAsync(RawWebSocket.Frame(TextBegins, request.AsSpan(0, 12)), RawWebSocket.Frame(Ends, request.AsSpan(12)));
        Assert.Contains("Unknown action '€'", await socket.NextTextAsync(), StringComparison.Ordinal);
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
        using var socket = await RawWebSocket.OpenAsync(gateway.Endpoint, offer);
        Assert.Equal(isAccepted, socket.Answer.Contains("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Compressed_messages_go_both_ways_and_are_those_that_others_get_plain()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "DEFLATE");
        using var compressed = await RawWebSocket.OpenAsync(gateway.Endpoint, "permessage-deflate");
        await using var plain = await gateway.ConnectAsync();
        await compressed.SendAsync(RawWebSocket.Frame(0xc1, Deflate("""{"action":"subscribe","channel":"DEFLATE:orderbook_delta"}""")));
        Assert.Contains("\"subscribed\"", Encoding.UTF8.GetString((await compressed.NextAsync()).Payload), StringComparison.Ordinal);
        await plain.SubscribeAsync("DEFLATE:orderbook_delta");
        await market.SubscribedAsync("orderbook_delta");
        await market.PublishAsync(market.Snapshot(), market.Delta(), market.Delta());

        for (int i = 0; i < 3; i++)
        {
            var (first, payload) = await compressed.NextAsync();
            Assert.Equal(0xc1, first);
            Assert.Equal(Encoding.UTF8.GetString(await plain.NextBytesAsync()), Inflate(payload));
        }
    }

    [Theory]
    [InlineData(5000, 1009)]
    [InlineData(-1, 1007)]
    public async Task A_compressed_message_that_is_too_large_or_no_such_thing_closes(int length, int code)
    {
        using var socket = await RawWebSocket.OpenAsync(gateway.Endpoint, "permessage-deflate");
        await socket.SendAsync(RawWebSocket.Frame(0xc1, length < 0 ? [0xff, 0xff, 0xff] : Deflate(new string('x', length))));
        Assert.Equal(code, await socket.ClosedAsync());
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
            using var socket = await RawWebSocket.OpenAsync(gateway.Endpoint, random.Next(2) == 0 ? "permessage-deflate" : null);
            int frames = random.Next(1, 50);
            try
            {
                await socket.SendAsync([.. Enumerable.Range(0, frames).Select(_ => Fuzzed(random))]);
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
        var frame = RawWebSocket.Frame(first, payload);
        if (random.Next(5) == 0) frame[random.Next(frame.Length)] ^= (byte)(1 << random.Next(8));
        return random.Next(10) == 0 ? frame[..random.Next(1, frame.Length)] : frame;
    }

    private Task<RawWebSocket> OpenAsync() => RawWebSocket.OpenAsync(gateway.Endpoint);

    private static async Task<(byte First, string Payload)> NextControlAsync(RawWebSocket socket)
    {
        var (first, payload) = await socket.NextAsync();
        return (first, Encoding.UTF8.GetString(payload));
    }

    private static byte[][] Fragments(string message, int count)
    {
        int size = (message.Length + count - 1) / count;
        var pieces = message.Chunk(size).Select(piece => new string(piece)).ToList();
        return [.. pieces.Select((piece, i) => RawWebSocket.Frame((byte)((i == 0 ? 1 : 0) | (i == pieces.Count - 1 ? 0x80 : 0)), piece))];
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
