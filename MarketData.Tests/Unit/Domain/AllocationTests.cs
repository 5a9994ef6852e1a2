using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Domain.Frames;

namespace MarketData.Tests.Unit.Domain;

/// <summary>The hot path makes no garbage: at 100,000 frames a second a single object for each would be felt as pauses.</summary>
public class AllocationTests
{
    private static readonly byte[] Up = """{"type":"orderbook_delta","sid":1,"seq":3,"msg":{"market_ticker":"M","market_id":"id","price_dollars":"0.4600","delta_fp":"9.12","side":"no","ts_ms":1}}"""u8.ToArray();
    private static readonly byte[] Down = """{"channel":"orderbook_delta","market_ticker":"M","seq":4,"data":{"price_dollars":"0.4600","delta_fp":"-9.12","side":"no"}}"""u8.ToArray();
    private static readonly byte[] Snapshot = """{"type":"orderbook_snapshot","sid":1,"seq":2,"msg":{"market_ticker":"M","yes_dollars_fp":[["0.0100","1.00"],["0.4700","5.00"]],"no":[[48,1]]}}"""u8.ToArray();

    private readonly OrderBook _book = new();
    private readonly EnvelopeWriter _writer = new();
    private readonly SnapshotEnvelope _snapshots = new();

    [Fact]
    public void Parsing_a_frame_allocates_nothing() => AssertAllocatesNothing(() =>
    {
        Check(ExchangeFrame.TryParse(Up, out _, out _));
        Check(ExchangeFrame.TryParse(Down, out _, out _));
        Check(ExchangeFrame.TryParse(Snapshot, out _, out _));
    });

    [Fact]
    public void Applying_snapshots_and_changes_to_a_book_allocates_nothing() => AssertAllocatesNothing(() =>
    {
        Check(ExchangeFrame.TryParse(Snapshot, out var snapshot, out _));
        Check(SnapshotReader.TryRead(Snapshot, snapshot.Levels, _book));
        Apply(Up);
        Apply(Down);
    });

    [Fact]
    public void Writing_and_reading_an_envelope_allocates_nothing() => AssertAllocatesNothing(() =>
    {
        var bytes = _writer.Write(Up, MarketChannel.OrderbookDelta.Utf8Name(), "M"u8, 3, new StreamPosition(1, 1), 1, 2).Span;
        Check(Envelope.TryParse(bytes, out _, out _));
    });

    [Fact]
    public void Rebuilding_a_book_from_envelopes_and_writing_it_as_a_snapshot_allocates_nothing()
    {
        var book = new SequencedBook();
        long number = 0;
        AssertAllocatesNothing(() =>
        {
            Consume(Snapshot, MarketChannel.OrderbookSnapshot);
            Consume(Up, MarketChannel.OrderbookDelta);
            Consume(Down, MarketChannel.OrderbookDelta);
            _snapshots.Write("M"u8, book, 1);
        });
        Assert.Equal("yes 100:100 4700:500 no 4800:100", Reading.Text(book.Book));

        void Consume(byte[] payload, MarketChannel channel)
        {
            var bytes = _writer.Write(payload, channel.Utf8Name(), "M"u8, 3, new StreamPosition(1, ++number), 1, 2).Span;
            Check(Envelope.TryParse(bytes, out var envelope, out _));
            Check(book.Apply(bytes, envelope) == BookOutcome.Applied);
        }
    }

    private void Apply(byte[] frame)
    {
        Check(ExchangeFrame.TryParse(frame, out var parsed, out _));
        Check(parsed.Delta is { } delta && _book.TryApply(delta.Side, delta.Price, delta.Change));
    }

    // An assertion of the test library might allocate.
    private static void Check(bool isTrue)
    {
        if (!isTrue) throw new InvalidOperationException("a step that must succeed did not");
    }

    private static void AssertAllocatesNothing(Action action)
    {
        // The first rounds load code and grow buffers.
        for (int i = 0; i < 100; i++) action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++) action();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
