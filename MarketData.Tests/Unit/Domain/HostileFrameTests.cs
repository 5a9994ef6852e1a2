using System.Text;
using System.Text.Json;
using CsCheck;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Domain.Frames;

namespace MarketData.Tests.Unit.Domain;

/// <summary>Whatever bytes come in, nothing throws, and what is taken goes out again whole.</summary>
public class HostileFrameTests
{
    private static readonly byte[][] Samples =
    [
        .. new[]
        {
            """{"type":"orderbook_snapshot","sid":1,"seq":2,"msg":{"market_ticker":"KX-T60499.99","market_id":"492c","yes_dollars_fp":[["0.0100","1406474.86"]],"no_dollars_fp":[["0.7300","55.20"]]}}""",
            """{"type":"orderbook_snapshot","sid":1,"seq":2,"msg":{"market_ticker":"M","yes":[[48,200],[45,100]],"yes_dollars":[["0.48",200]],"no":null}}""",
            """{"type":"orderbook_delta","sid":1,"seq":3,"msg":{"market_ticker":"M","price_dollars":"0.4600","delta_fp":"-9.12","side":"no","client_order_id":"x","ts_ms":1786401938602}}""",
            """{"channel":"orderbook_delta","market_ticker":"M","seq":11,"data":{"side":"yes","price":66,"delta":50}}""",
            """{"channel":"orderbook_snapshot","market_ticker":"M","yes":[[48,200]],"no":[]}""",
            """{"type":"market_lifecycle_v2","sid":1,"seq":5,"msg":{"market_ticker":"M","title":"\u00fc \"q\" ü","custom_strike":{"a":[1,null,true]}}}""",
            """{"type":"error","id":9,"msg":"Unknown command: foo"}""",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    [Fact]
    public void A_frame_cut_off_anywhere_is_refused()
    {
        foreach (byte[] sample in Samples)
        {
            for (int length = 0; length < sample.Length; length++)
                Assert.False(ExchangeFrame.TryParse(sample.AsSpan(0, length), out _, out _), $"{length} bytes of {Encoding.UTF8.GetString(sample)}");
        }
    }

    [Fact]
    public void A_frame_with_bytes_changed_is_refused_or_goes_out_whole() => (
        from sample in Gen.OneOf(Samples)
        from changes in Gen.Select(Gen.Int[0, sample.Length - 1], Gen.Frequency((1, Gen.Byte), (1, Gen.Char["\"\\{}[]:,.0123456789-eunl "].Select(c => (byte)c)))).Array[1, 4]
        select Changed(sample, changes)).Sample(CheckAll, iter: 50_000);

    [Fact]
    public void A_frame_with_parts_of_another_spliced_in_is_refused_or_goes_out_whole() => (
        from head in Gen.OneOf(Samples)
        from tail in Gen.OneOf(Samples)
        from cut in Gen.Int[0, head.Length]
        from resume in Gen.Int[0, tail.Length]
        select (byte[])[.. head.AsSpan(0, cut), .. tail.AsSpan(resume)]).Sample(CheckAll, iter: 50_000);

    private static byte[] Changed(byte[] sample, (int At, byte Value)[] changes)
    {
        byte[] bytes = [.. sample];
        foreach (var (at, value) in changes) bytes[at] = value;
        return bytes;
    }

    private static void CheckAll(byte[] bytes)
    {
        if (!ExchangeFrame.TryParse(bytes, out var frame, out string? error))
        {
            Assert.False(string.IsNullOrEmpty(error));
            return;
        }

        var book = new OrderBook();
        SnapshotReader.TryRead(bytes, frame.Levels, book);
        if (frame.Delta is { } delta) book.TryApply(delta.Side, delta.Price, delta.Change);
        byte[] payload = frame.HasPrivateFields ? PrivateFields.Strip(bytes) : frame.Json.Of(bytes).ToArray();
        Assert.True(ExchangeFrame.TryParse(payload, out var passedOn, out error), error);
        Assert.False(passedOn.HasPrivateFields);
        Assert.Equal(frame.Ticker.Of(bytes), passedOn.Ticker.Of(payload));
        Assert.Equal(frame.Delta, passedOn.Delta);

        // The documented rule: what has no name cannot be published.
        if (frame.TypeName.IsEmpty) return;
        var channel = frame.Type.Channel();
        var name = channel == MarketChannel.Other ? frame.TypeName.Of(bytes) : channel.Utf8Name();
        var envelope = new EnvelopeWriter().Write(payload, name, frame.Ticker.Of(bytes), frame.Seq, new StreamPosition(1, 1), 2, 3).Span;
        using var document = JsonDocument.Parse(envelope.ToArray());
        var read = Reading.Envelope(envelope);
        Assert.Equal(payload, read.Payload.Of(envelope));
        Assert.Equal(frame.Ticker.Of(bytes), read.Ticker.Of(envelope));
        Assert.Equal(frame.Seq, read.Sequence);
        Assert.Equal(channel, read.Channel);
    }
}
