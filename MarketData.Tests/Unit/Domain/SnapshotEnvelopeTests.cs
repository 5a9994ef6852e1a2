using System.Text;
using System.Text.Json;
using CsCheck;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Domain.Numbers;

namespace MarketData.Tests.Unit.Domain;

public class SnapshotEnvelopeTests
{
    private static readonly Gen<(Side Side, int Price, long Count)[]> Levels = Gen.Select(
        Gen.OneOf(Side.Yes, Side.No),
        Gen.Int[0, FixedPoint.PriceScale],
        Gen.Frequency((5, Gen.Long[0, 1_000_000]), (1, Gen.Long[0, FixedPoint.MaxCount]))).Array[0, 200];

    [Fact]
    public void A_consumer_of_the_snapshot_holds_the_same_book_at_the_same_position() =>
        Gen.Select(Levels, Gen.Long[1, long.MaxValue], Gen.Long[0, long.MaxValue], Gen.Nullable(Gen.Long)).Sample((levels, number, epoch, sequence) =>
        {
            var book = BookWith(levels, new StreamPosition(epoch, number), sequence);
            var bytes = new SnapshotEnvelope().Write("KX-T4.25"u8, book, 99).Span;
            var envelope = Reading.Envelope(bytes);
            var copy = new SequencedBook();
            Assert.Equal(BookOutcome.Applied, copy.Apply(bytes, envelope));
            Assert.True(copy.Book.ContentEquals(book.Book));
            Assert.Equal(book.Position, copy.Position);
            Assert.Equal(book.Sequence, copy.Sequence);
            Assert.Equal(book.ReceivedTimestamp, copy.ReceivedTimestamp);
            Assert.Equal(book.MarketId, copy.MarketId);
            Assert.Equal("KX-T4.25", Encoding.UTF8.GetString(envelope.Ticker.Of(bytes)));
        }, iter: 500);

    [Fact]
    public void The_payload_is_in_the_form_of_the_exchange()
    {
        var book = BookWith([(Side.Yes, 4_800, 3_154), (Side.Yes, 100, 10_000)], new StreamPosition(3, 7), 12);
        using var document = JsonDocument.Parse(new SnapshotEnvelope().Write("M-1"u8, book, 99));
        Assert.Equal(
            """{"type":"orderbook_snapshot","msg":{"market_ticker":"M-1","market_id":"id","yes_dollars_fp":[["0.0100","100.00"],["0.4800","31.54"]]}}""",
            document.RootElement.GetProperty("payload").GetRawText());
        Assert.Equal("orderbook_snapshot", document.RootElement.GetProperty("channel").GetString());
        Assert.Equal("M-1", document.RootElement.GetProperty("marketTicker").GetString());
        Assert.Equal(99, document.RootElement.GetProperty("publishedTimestamp").GetInt64());
        Assert.Equal(7, document.RootElement.GetProperty("streamSequence").GetInt64());
    }

    [Fact]
    public void A_large_book_after_a_small_one_comes_whole()
    {
        var writer = new SnapshotEnvelope();
        writer.Write("M"u8, BookWith([(Side.No, 1, 1)], new StreamPosition(1, 1), null), 1);
        var levels = Enumerable.Range(0, FixedPoint.PriceScale + 1).Select(price => (Side.No, price, FixedPoint.MaxCount)).ToArray();
        var book = BookWith(levels, new StreamPosition(1, 2), null);
        var bytes = writer.Write("M"u8, book, 1).Span;
        var copy = new SequencedBook();
        Assert.Equal(BookOutcome.Applied, copy.Apply(bytes, Reading.Envelope(bytes)));
        Assert.True(copy.Book.ContentEquals(book.Book));
    }

    private static SequencedBook BookWith((Side Side, int Price, long Count)[] levels, StreamPosition position, long? sequence)
    {
        var book = new SequencedBook();
        var bytes = new EnvelopeWriter().Write(
            """{"type":"orderbook_snapshot","msg":{"market_ticker":"M","market_id":"id"}}"""u8,
            MarketChannel.OrderbookSnapshot.Utf8Name(), "M"u8, sequence, position, 5, 6).Span;
        Assert.Equal(BookOutcome.Applied, book.Apply(bytes, Reading.Envelope(bytes)));
        foreach (var (side, price, count) in levels) book.Book.TryApply(side, price, count);
        return book;
    }
}
