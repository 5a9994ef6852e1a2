using System.Text;
using System.Text.Json;
using CsCheck;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

namespace MarketData.Tests.Unit.Domain;

public class EnvelopeTests
{
    private const string Payload = """{ "seq":5,  "type":"trade","price":0.4800, "x":"\u00fc" }""";

    [Fact]
    public void An_envelope_carries_the_documented_fields_with_their_types()
    {
        using var document = JsonDocument.Parse(Write(Payload, "trade", "M-1", 12345, new StreamPosition(1640001200000, 77), 1640001234567, 1640001234570));
        var fields = document.RootElement;
        Assert.Equal(
            ["payload", "receivedTimestamp", "publishedTimestamp", "channel", "marketTicker", "sequence", "source", "version", "streamSequence", "streamEpoch"],
            fields.EnumerateObject().Select(field => field.Name));
        Assert.Equal(JsonValueKind.Object, fields.GetProperty("payload").ValueKind);
        Assert.Equal(1640001234567, fields.GetProperty("receivedTimestamp").GetInt64());
        Assert.Equal(1640001234570, fields.GetProperty("publishedTimestamp").GetInt64());
        Assert.Equal("trade", fields.GetProperty("channel").GetString());
        Assert.Equal("M-1", fields.GetProperty("marketTicker").GetString());
        Assert.Equal(12345, fields.GetProperty("sequence").GetInt64());
        Assert.Equal("kalshi-websocket", fields.GetProperty("source").GetString());
        Assert.Equal(1, fields.GetProperty("version").GetInt32());
        Assert.Equal(77, fields.GetProperty("streamSequence").GetInt64());
        Assert.Equal(1640001200000, fields.GetProperty("streamEpoch").GetInt64());
    }

    [Fact]
    public void The_payload_keeps_every_byte()
    {
        using var document = JsonDocument.Parse(Write(Payload, "trade", "M-1", 1, new StreamPosition(1, 1), 1, 1));
        Assert.Equal(Payload, document.RootElement.GetProperty("payload").GetRawText());
    }

    [Fact]
    public void A_frame_of_no_market_and_no_number_writes_null()
    {
        byte[] bytes = Write("{}", "market_lifecycle_v2", "", null, new StreamPosition(1, 1), 1, 1);
        using var document = JsonDocument.Parse(bytes);
        Assert.Equal(JsonValueKind.Null, document.RootElement.GetProperty("marketTicker").ValueKind);
        Assert.Equal(JsonValueKind.Null, document.RootElement.GetProperty("sequence").ValueKind);
        var envelope = Reading.Envelope(bytes);
        Assert.True(envelope.Ticker.IsEmpty);
        Assert.Null(envelope.Sequence);
    }

    [Fact]
    public void A_sampled_envelope_carries_its_trace()
    {
        const string Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        byte[] bytes = new EnvelopeWriter()
            .Write("{}"u8, "trade"u8, "M"u8, 1, new StreamPosition(1, 1), 1, 1, traceparent: Encoding.UTF8.GetBytes(Trace)).ToArray();
        using var document = JsonDocument.Parse(bytes);
        Assert.Equal(Trace, document.RootElement.GetProperty("traceparent").GetString());
    }

    [Fact]
    public void Whatever_is_written_is_read_back() => (
        from payload in Gen.OneOf(Payload, "{}", "[1,[2]]", "\"text\"", "null", new string(' ', 9_000) + "{}")
        from channel in Gen.OneOf("trade", "orderbook_delta", "orderbook_snapshot", "ticker_v2", "market_lifecycle_v2", "of_next_year")
        from ticker in Gen.OneOf("", "M", "KXBTCD-26JUL0317-T60499.99")
        from sequence in Gen.Nullable(Gen.Long)
        from numbers in Gen.Long.Array[4]
        select (payload, channel, ticker, sequence, numbers)).Sample(sample =>
        {
            var position = new StreamPosition(sample.numbers[0], sample.numbers[1]);
            byte[] bytes = Write(sample.payload, sample.channel, sample.ticker, sample.sequence, position, sample.numbers[2], sample.numbers[3]);
            var envelope = Reading.Envelope(bytes);
            Assert.Equal(sample.payload.Trim(), Encoding.UTF8.GetString(envelope.Payload.Of(bytes)));
            Assert.Equal(sample.channel, Encoding.UTF8.GetString(envelope.ChannelName.Of(bytes)));
            Assert.Equal(MarketChannels.Parse(Encoding.UTF8.GetBytes(sample.channel)), envelope.Channel);
            Assert.Equal(sample.ticker, Encoding.UTF8.GetString(envelope.Ticker.Of(bytes)));
            Assert.Equal(sample.sequence, envelope.Sequence);
            Assert.Equal(position, envelope.Position);
            Assert.Equal(sample.numbers[2], envelope.ReceivedTimestamp);
        }, iter: 2_000);

    [Fact]
    public void A_writer_leaves_nothing_of_the_envelope_before()
    {
        var writer = new EnvelopeWriter();
        writer.Write(Encoding.UTF8.GetBytes(new string(' ', 100_000) + "{}"), "orderbook_snapshot"u8, "LONG"u8, 1, new StreamPosition(9, 9), 9, 9, isStale: true, "00-trace"u8);
        byte[] second = writer.Write("{}"u8, "trade"u8, "M"u8, 1, new StreamPosition(1, 1), 1, 1).ToArray();
        Assert.Equal(Write("{}", "trade", "M", 1, new StreamPosition(1, 1), 1, 1), second);
    }

    [Fact]
    public void Fields_of_the_contract_alone_in_any_order_are_an_envelope_without_position()
    {
        var bytes = """{"version":1,"later":{"payload":[]},"source":"kalshi-websocket","sequence":4,"marketTicker":null,"channel":"trade","payload":{"a":1}}"""u8;
        var envelope = Reading.Envelope(bytes);
        Assert.Equal("""{"a":1}""", Encoding.UTF8.GetString(envelope.Payload.Of(bytes)));
        Assert.Equal(default, envelope.Position);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"payload":{}}""")]
    [InlineData("""{"channel":"trade"}""")]
    [InlineData("""{"channel":"","payload":{}}""")]
    [InlineData("""{"channel":null,"payload":{}}""")]
    [InlineData("""{"channel":"trade","payload":{}}}""")]
    [InlineData("""{"channel":"trade","payload":{}} {"channel":"trade"}""")]
    [InlineData("""{"channel":"tr:ade","payload":{}}""")]
    [InlineData("""{"channel":"trade","payload":{},"marketTicker":"A\"B"}""")]
    [InlineData("""{"channel":"trade","payload":{},"marketTicker":"A:B"}""")]
    public void What_is_no_envelope_is_refused_with_a_reason(string text)
    {
        Assert.False(Envelope.TryParse(Encoding.UTF8.GetBytes(text), out _, out string? error));
        Assert.False(string.IsNullOrEmpty(error));
    }

    [Fact]
    public void An_envelope_that_is_not_UTF_8_is_refused_before_a_client_gets_it()
    {
        byte[] bytes = [.. "{\"channel\":\"trade\",\"payload\":{\"title\":\""u8, 0xFF, .. "\"}}"u8];
        Assert.False(Envelope.TryParse(bytes, out _, out string? error));
        Assert.Contains("UTF-8", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Changed_bytes_are_refused_or_read_but_never_throw()
    {
        byte[] sample = Write(Payload, "trade", "M-1", 12345, new StreamPosition(5, 77), 1, 2);
        for (int length = 0; length < sample.Length; length++) Assert.False(Envelope.TryParse(sample.AsSpan(0, length), out _, out _));
        Gen.Select(Gen.Int[0, sample.Length - 1], Gen.Byte).Array[1, 4].Sample(changes =>
        {
            byte[] bytes = [.. sample];
            foreach (var (at, value) in changes) bytes[at] = value;
            if (!Envelope.TryParse(bytes, out var envelope, out _)) return;
            Assert.True(PlainName.IsValid(envelope.ChannelName.Of(bytes)));
            Assert.True(PlainName.IsValid(envelope.Ticker.Of(bytes)));
            using var document = JsonDocument.Parse(bytes);
        }, iter: 20_000);
    }

    [Fact]
    public void Positions_order_by_epoch_then_number()
    {
        var position = new StreamPosition(2, 5);
        Assert.Equal(new StreamPosition(2, 6), position.Next);
        Assert.True(position < position.Next);
        Assert.True(position.Next > position);
        Assert.True(new StreamPosition(3, 1) > position);
        Assert.True(new StreamPosition(1, 900) <= position);
        Assert.True(position >= new StreamPosition(2, 5));
    }

    private static byte[] Write(string payload, string channel, string ticker, long? sequence, StreamPosition position, long received, long published) =>
        new EnvelopeWriter().Write(
            Encoding.UTF8.GetBytes(payload), Encoding.UTF8.GetBytes(channel), Encoding.UTF8.GetBytes(ticker), sequence, position, received, published).ToArray();
}
