using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Domain.Frames;
using MarketData.Domain.Numbers;

namespace MarketData.Tests.Unit.Domain;

/// <summary>Real sessions of the exchange, read as the services read them.</summary>
public class RecordedSessionTests
{
    [Theory]
    [InlineData(Recordings.FixedPointSession, 2_898)]
    [InlineData(Recordings.QuietSession, 23_003)]
    [InlineData(Recordings.BurstSession, 197_896)]
    [InlineData(Recordings.CurrentFrames, 12)]
    [InlineData(Recordings.LegacyFrames, 9)]
    public void Every_recorded_frame_is_read_and_known(string file, int count)
    {
        var frames = Recordings.Frames(file);
        Assert.Equal(count, frames.Count);
        foreach (byte[] bytes in frames)
        {
            Assert.True(ExchangeFrame.TryParse(bytes, out var frame, out string? error), $"{error}: {Encoding.UTF8.GetString(bytes)}");
            if (frame.Type == FrameType.Unknown || (frame.Type == FrameType.OrderbookDelta && frame.Delta is null))
                Assert.Fail(Encoding.UTF8.GetString(bytes));
        }
    }

    [Fact]
    public void The_fixed_point_session_builds_five_books_that_never_go_negative()
    {
        var replay = Replay.Of(Recordings.FixedPointSession);
        Assert.Equal(5, replay.Books.Count);
        Assert.Equal(0, replay.Refused);
        Assert.Equal(5, replay.Types[FrameType.OrderbookSnapshot]);
        Assert.Equal(2_885, replay.Types[FrameType.OrderbookDelta]);
        Assert.Equal(4, replay.Types[FrameType.Ok]);
        Assert.Equal(2, replay.Types[FrameType.Subscribed]);
        Assert.Equal(2, replay.Types[FrameType.Private]);
        Assert.Equal(2_894, replay.LastSeq);
        Assert.Equal(0, replay.SeqHoles);
        foreach (var book in replay.Books.Values)
        {
            Assert.False(book.IsEmpty);
            Assert.True(book.Levels(Side.Yes)[^1].Price + book.Levels(Side.No)[^1].Price < FixedPoint.PriceScale, Reading.Text(book));
        }
    }

    [Theory]
    [InlineData(Recordings.QuietSession, 2, 22_024, 977)]
    [InlineData(Recordings.BurstSession, 4, 196_008, 1_884)]
    public void A_session_replays_to_the_empty_book_at_its_markets_close(string file, int snapshots, int deltas, int trades)
    {
        var replay = Replay.Of(file);
        Assert.Equal(0, replay.Refused);
        Assert.Equal(snapshots, replay.Types[FrameType.OrderbookSnapshot]);
        Assert.Equal(deltas, replay.Types[FrameType.OrderbookDelta]);
        Assert.Equal(trades, replay.Types[FrameType.Trade]);
        Assert.True(Assert.Single(replay.Books).Value.IsEmpty);
        Assert.True(replay.MostLevels > 50);
    }

    [Theory]
    [InlineData(Recordings.FixedPointSession)]
    [InlineData(Recordings.QuietSession)]
    public void A_consumer_of_envelopes_alone_holds_the_books_of_the_recording(string file)
    {
        var direct = Replay.Of(file).Books;
        var writer = new EnvelopeWriter();
        var consumer = new Dictionary<string, SequencedBook>();
        foreach (byte[] bytes in Recordings.Frames(file))
        {
            Assert.True(ExchangeFrame.TryParse(bytes, out var frame, out _));
            var channel = frame.Type.Channel();
            if (channel.Stream() != StreamKind.OrderBook) continue;
            string ticker = Encoding.UTF8.GetString(frame.Ticker.Of(bytes));
            if (!consumer.TryGetValue(ticker, out var book)) consumer.Add(ticker, book = new SequencedBook());
            var position = book.HasBase ? book.Position.Next : new StreamPosition(1, 1);
            var envelope = writer.Write(frame.Json.Of(bytes), channel.Utf8Name(), frame.Ticker.Of(bytes), frame.Seq, position, 1, 2).Span;
            Assert.Equal(BookOutcome.Applied, book.Apply(envelope, Reading.Envelope(envelope)));
        }

        Assert.Equal(direct.Keys.Order(), consumer.Keys.Order());
        Assert.All(direct, market => Assert.True(consumer[market.Key].Book.ContentEquals(market.Value)));
    }

    [Fact]
    public void Single_current_frames_have_their_documented_types()
    {
        FrameType[] expected =
        [
            FrameType.OrderbookSnapshot, FrameType.OrderbookSnapshot, FrameType.Subscribed, FrameType.Ok, FrameType.Error, FrameType.OrderbookSnapshot,
            FrameType.OrderbookSnapshot, FrameType.Ticker, FrameType.Ticker, FrameType.Lifecycle, FrameType.Lifecycle, FrameType.OrderbookDelta,
        ];
        var frames = Recordings.Frames(Recordings.CurrentFrames).ConvertAll(Reading.Frame);
        Assert.Equal(expected, frames.Select(parsed => parsed.Frame.Type));
        Assert.Equal(108, frames[3].Frame.Seq);
        Assert.Equal("", frames[5].MarketId);
        Assert.Equal("ce3720ea-b877-4589-9250-757c7027f907", frames[6].MarketId);
        Assert.Null(frames[7].Frame.Seq);
        Assert.Equal("KXBTC15M-26JUL191145-45", frames[8].Ticker);
        Assert.Equal(new BookDelta(Side.No, 7_200, -667_400), frames[11].Frame.Delta);
    }

    [Fact]
    public void Single_cents_frames_have_their_documented_types()
    {
        FrameType[] expected =
        [
            FrameType.Ticker, FrameType.Ticker, FrameType.Lifecycle, FrameType.Lifecycle, FrameType.Lifecycle,
            FrameType.Lifecycle, FrameType.Lifecycle, FrameType.Trade, FrameType.Ticker,
        ];
        var frames = Recordings.Frames(Recordings.LegacyFrames).ConvertAll(Reading.Frame);
        Assert.Equal(expected, frames.Select(parsed => parsed.Frame.Type));
        Assert.Equal("event_lifecycle", frames[2].TypeName);
        Assert.Equal("", frames[2].Ticker);
        Assert.Null(frames[3].Frame.Seq);
        Assert.Equal(43, frames[5].Frame.Seq);
        Assert.Equal("KXHIGHCHI-25OCT02-B80.5", frames[7].Ticker);
    }

    [Fact]
    public void Yes_price_changes_only_the_NO_side_to_one_minus_its_price()
    {
        var frames = Recordings.Frames(Recordings.CurrentFrames);
        var book = Reading.Book(Encoding.UTF8.GetString(frames[0]));
        var inYesPrices = Reading.Book(Encoding.UTF8.GetString(frames[1]));
        Assert.Equal(10, book.Levels(Side.Yes).Length);
        Assert.Equal(22, book.Levels(Side.No).Length);
        Assert.Equal(book.Levels(Side.Yes), inYesPrices.Levels(Side.Yes));
        var expected = book.Levels(Side.No).ToArray().Select(level => level with { Price = FixedPoint.PriceScale - level.Price }).Reverse();
        Assert.Equal(expected, inYesPrices.Levels(Side.No).ToArray());
    }

    /// <summary>The books of a recording, built straight from its frames.</summary>
    private sealed class Replay
    {
        public Dictionary<string, OrderBook> Books { get; } = [];

        public Dictionary<FrameType, int> Types { get; } = [];

        public int Refused { get; private set; }

        public int MostLevels { get; private set; }

        public long LastSeq { get; private set; }

        public int SeqHoles { get; private set; }

        public static Replay Of(string file)
        {
            var replay = new Replay();
            foreach (byte[] bytes in Recordings.Frames(file)) replay.Add(bytes);
            return replay;
        }

        private void Add(byte[] bytes)
        {
            Assert.True(ExchangeFrame.TryParse(bytes, out var frame, out _));
            Types[frame.Type] = Types.GetValueOrDefault(frame.Type) + 1;
            if (frame is { Sid: 1, Seq: { } seq })
            {
                if (seq != LastSeq + 1) SeqHoles++;
                LastSeq = seq;
            }

            if (frame.Type.Channel().Stream() != StreamKind.OrderBook) return;
            string ticker = Encoding.UTF8.GetString(frame.Ticker.Of(bytes));
            if (!Books.TryGetValue(ticker, out var book)) Books.Add(ticker, book = new OrderBook());
            bool applied = frame.Type == FrameType.OrderbookSnapshot
                ? SnapshotReader.TryRead(bytes, frame.Levels, book)
                : frame.Delta is { } delta && book.TryApply(delta.Side, delta.Price, delta.Change);
            if (!applied) Refused++;
            MostLevels = Math.Max(MostLevels, book.Levels(Side.Yes).Length + book.Levels(Side.No).Length);
        }
    }
}
