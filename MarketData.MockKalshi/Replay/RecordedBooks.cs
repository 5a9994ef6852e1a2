using MarketData.Domain.Books;
using MarketData.Domain.Frames;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Exchange.Truth;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Replay;

/// <summary>
/// Computes books of a recording when somebody asks, so that playing costs nothing for it. Remembers how far each market was played
/// last. Thread-safe.
/// </summary>
internal sealed class RecordedBooks(Recording recording)
{
    private readonly Dictionary<string, LastPlayed> _lastPlayed =
        recording.Markets.ToDictionary(market => market.Ticker, _ => new LastPlayed(), StringComparer.Ordinal);

    /// <summary>Where connections note how far they have played a market's book frames.</summary>
    public LastPlayed LastPlayedOf(string ticker) => _lastPlayed[ticker];

    /// <summary>A market's book after so many frames of its track.</summary>
    public OrderBook After(int[] track, int played)
    {
        int from = Math.Max(played - 1, 0);
        while (from > 0 && !recording.Frames[track[from]].IsSnapshot) from--;
        var book = new OrderBook();
        for (int i = from; i < played; i++) Apply(book, recording.Frames[track[i]].Text.Span);
        return book;
    }

    /// <summary>Reads the book as last played; before anybody has played the market, the one that its first client will see.</summary>
    public T Read<T>(string ticker, Func<OrderBook, T> read)
    {
        int[] track = recording.Track(FeedChannel.OrderbookDelta, ticker).Frames;
        var last = _lastPlayed[ticker];
        int played = last.Frames;
        if (played == 0) played = Array.FindIndex(track, index => recording.Frames[index].IsSnapshot) + 1;
        lock (last.Gate)
        {
            if (played < last.BookFrames)
            {
                last.Book.Clear();
                last.BookFrames = 0;
            }

            for (; last.BookFrames < played; last.BookFrames++) Apply(last.Book, recording.Frames[track[last.BookFrames]].Text.Span);
            return read(last.Book);
        }
    }

    /// <summary>The book as last played on any connection, or as it was with a number of the newest one that plays the market.</summary>
    public TruthAnswer Truth(string ticker, long? atSeq)
    {
        if (!_lastPlayed.TryGetValue(ticker, out var last)) return TruthAnswer.Missing(TruthGap.UnknownMarket);
        if (atSeq is not { } seq) return new TruthAnswer(Read(ticker, BookView.Of), last.Frames, null);
        if (last.NewestStream is not { } stream) return TruthAnswer.Missing(TruthGap.NotSubscribed);
        long? played;
        lock (stream.Gate)
        {
            if (seq > stream.Subscription.LastSeq) return TruthAnswer.Missing(TruthGap.SeqNotReached);
            played = stream.Trail.PositionAt(seq);
        }

        return played is { } frames
            ? new TruthAnswer(BookView.Of(After(recording.Track(FeedChannel.OrderbookDelta, ticker).Frames, (int)frames)), frames, null)
            : TruthAnswer.Missing(TruthGap.NoLongerHeld);
    }

    /// <summary>A change that the book cannot take is left out: the recording lacks what came before it.</summary>
    private static void Apply(OrderBook book, ReadOnlySpan<byte> text)
    {
        if (!ExchangeFrame.TryParse(text, out var frame, out string? error))
            throw new InvalidOperationException($"a frame that was read when the recording was loaded is not one any more: {error}");
        if (frame.Type == FrameType.OrderbookSnapshot) SnapshotReader.TryRead(text, frame.Levels, book);
        else if (frame.Delta is { } delta) book.TryApply(delta.Side, delta.Price, delta.Change);
    }
}

/// <summary>How far a market was played, and the book at some point up to there.</summary>
internal sealed class LastPlayed
{
    private readonly List<BookStream> _streams = [];
    private int _frames;

    /// <summary>Frames of the market's book track that the connection playing it last has sent.</summary>
    public int Frames
    {
        get => Volatile.Read(ref _frames);
        set => Volatile.Write(ref _frames, value);
    }

    /// <summary>The subscription that has the market's book and came last; null when none has it.</summary>
    public BookStream? NewestStream
    {
        get { lock (_streams) return _streams is [.., var newest] ? newest : null; }
    }

    public void Begin(BookStream stream)
    {
        lock (_streams) _streams.Add(stream);
    }

    public void End(BookStream stream)
    {
        lock (_streams) _streams.Remove(stream);
    }

    /// <summary>Guards the two below.</summary>
    public Lock Gate { get; } = new();

    public OrderBook Book { get; } = new();

    public int BookFrames { get; set; }
}
