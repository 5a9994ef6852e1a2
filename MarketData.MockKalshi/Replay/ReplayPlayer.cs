using System.Threading.Channels;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Replay;

/// <summary>
/// Plays a recording to one connection. Each subscribed market has a playhead that starts at its own first frame; of all
/// playheads the one whose frame was recorded first plays next. The client's socket sets the pace at speed 0, else one clock
/// that starts with the first frame; a market subscribed later catches up with it at once.
/// </summary>
internal sealed class ReplayPlayer(
    Recording recording,
    RecordedBooks books,
    IReadOnlyDictionary<string, MarketDefinition> markets,
    Session session,
    ReplayOptions options,
    TimeProvider timeProvider)
    : IMarketFeed
{
    /// <summary>Frames between two looks at the client's commands and at the room in its queue.</summary>
    private const int BatchFrames = 64;

    /// <summary>A longer pause is slept in pieces of this.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMinutes(1);

    /// <summary>The longest wait of the slowest replay that a TimeSpan still holds.</summary>
    private const double LongestWaitMs = 1e14;

    /// <summary>Between the last frame of a round and the first of the next.</summary>
    private const long BetweenRoundsMs = 1000;

    private readonly long _roundMs = recording.DurationMs + BetweenRoundsMs;
    private readonly ReplayedText _replayedText = new(options.Seq);
    private readonly PriorityQueue<Playhead, long> _playing = new();
    private readonly Dictionary<(Subscription, string), Playhead> _playheads = [];
    private readonly FrameText _text = new(), _yesPriceText = new();
    private Clock? _clock;

    private readonly record struct Clock(long StartTimestamp, long StartTimeMs);

    /// <summary>One market's place on one channel.</summary>
    private sealed class Playhead(Subscription subscription, string ticker, RecordedTrack track, LastPlayed? lastPlayed)
    {
        /// <summary>Set on the book channel, as <see cref="LastPlayed"/> is.</summary>
        public BookStream? Book { get; } = lastPlayed is null ? null : new BookStream(subscription);

        public Subscription Subscription { get; } = subscription;
        public string Ticker { get; } = ticker;
        public RecordedTrack Track { get; } = track;

        /// <summary>Set for a market's book.</summary>
        public LastPlayed? LastPlayed { get; } = lastPlayed;

        /// <summary>How often the recording began again.</summary>
        public long Round { get; set; }

        /// <summary>Frames of the track already sent in this round.</summary>
        public int Played { get; set; }

        /// <summary>The next frame's index.</summary>
        public int Next => Track.Frames[Played];
        public bool Stopped { get; set; }
    }

    /// <summary>Ends only by cancellation: after the last frame the connection stays open.</summary>
    public async Task RunAsync(ChannelReader<Command> commands, CancellationToken cancellationToken)
    {
        try
        {
            await PlayAsync(commands, cancellationToken);
        }
        finally
        {
            foreach (var playhead in _playheads.Values) End(playhead);
        }
    }

    private async Task PlayAsync(ChannelReader<Command> commands, CancellationToken cancellationToken)
    {
        Task<bool>? commandArrived = null;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await session.Outbound.WaitForRoomAsync(cancellationToken);
            if (commands.TryRead(out var command))
            {
                session.Execute(command, this);
                continue;
            }

            var pause = PlayBatch();
            if (pause == TimeSpan.Zero) continue;
            commandArrived ??= commands.WaitToReadAsync(cancellationToken).AsTask();
            if (pause is { } wait) await SleepAsync(wait, commandArrived, cancellationToken);
            else await commandArrived;
            if (commandArrived.IsCompleted) commandArrived = null;
        }
    }

    private async Task SleepAsync(TimeSpan pause, Task commandArrived, CancellationToken cancellationToken)
    {
        using var awake = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(commandArrived, Task.Delay(pause < LongestSleep ? pause : LongestSleep, timeProvider, awake.Token));
        await awake.CancelAsync();
    }

    public void Start(Subscription subscription, IReadOnlyList<string>? tickers, bool initialTickers)
    {
        // The first recorded ticker frame is the initial one, as the first recorded snapshot is the book's.
        foreach (string ticker in tickers ?? recording.TickersOf(subscription.Channel)) Start(subscription, ticker);
    }

    public void Stop(Subscription subscription, IReadOnlyList<string>? tickers)
    {
        foreach (string ticker in tickers ?? recording.TickersOf(subscription.Channel))
        {
            if (!_playheads.Remove((subscription, ticker), out var playhead)) continue;
            playhead.Stopped = true;
            End(playhead);
        }
    }

    public void SendSnapshot(Subscription subscription, string ticker, long? commandId)
    {
        var book = _playheads.TryGetValue((subscription, ticker), out var playhead) ? books.After(playhead.Track.Frames, playhead.Played) : null;
        var message = MarketMessages.Snapshot(_text, ticker, markets.GetValueOrDefault(ticker)?.MarketId, book, subscription.UseYesPrice);
        session.Send(subscription, "orderbook_snapshot", message, commandId);
    }

    public string? FindTicker(Guid marketId) => recording.Markets.FirstOrDefault(market => market.MarketId == marketId)?.Ticker;

    private void Start(Subscription subscription, string ticker)
    {
        var track = recording.Track(subscription.Channel, ticker);
        bool isBook = subscription.Channel == FeedChannel.OrderbookDelta;
        bool hasSnapshot = Array.Exists(track.Frames, index => recording.Frames[index].IsSnapshot);
        if (isBook && !hasSnapshot) SendSnapshot(subscription, ticker, commandId: null);
        if (track.Frames.Length == 0) return;

        var playhead = new Playhead(subscription, ticker, track, isBook ? books.LastPlayedOf(ticker) : null) { Round = RoundOfTheOthers() };
        _playheads.Add((subscription, ticker), playhead);
        if (playhead.Book is { } book) playhead.LastPlayed!.Begin(book);
        _playing.Enqueue(playhead, Place(playhead));
    }

    private static void End(Playhead playhead)
    {
        if (playhead.Book is { } book) playhead.LastPlayed!.End(book);
    }

    /// <summary>A market subscribed later catches up with the round that plays, not with those before it.</summary>
    private long RoundOfTheOthers()
    {
        if (_playing.TryPeek(out var first, out _)) return first.Round;
        if (options.Loop) _clock = null;
        return 0;
    }

    /// <summary>Orders playheads by the recorded order of their next frames, and the copies of one frame by their number.</summary>
    private long Place(Playhead playhead) =>
        (((playhead.Round * recording.Frames.Length) + playhead.Next) * recording.Copies) + playhead.Track.Copy;

    /// <summary>Plays what is due; returns how long nothing more is, null when nothing more will be.</summary>
    private TimeSpan? PlayBatch()
    {
        for (int i = 0; i < BatchFrames; i++)
        {
            if (!_playing.TryPeek(out var playhead, out _)) return null;
            if (playhead.Stopped)
            {
                _playing.Dequeue();
                continue;
            }

            ref readonly var frame = ref recording.Frames[playhead.Next];
            if (UntilDue((playhead.Round * _roundMs) + frame.TimeMs) is var pause && pause > TimeSpan.Zero) return pause;
            Play(playhead, frame);
            // A fault may have ended its subscription.
            if (playhead.Stopped) continue;
            if (Advance(playhead)) _playing.DequeueEnqueue(playhead, Place(playhead));
            else _playing.Dequeue();
        }

        return TimeSpan.Zero;
    }

    private TimeSpan UntilDue(long timeMs)
    {
        if (options.Speed == 0) return TimeSpan.Zero;
        var clock = _clock ??= new Clock(timeProvider.GetTimestamp(), timeMs);
        double recordedMs = (double)timeMs - clock.StartTimeMs;
        var due = TimeSpan.FromMilliseconds(Math.Clamp(recordedMs / options.Speed, -LongestWaitMs, LongestWaitMs));
        return due - timeProvider.GetElapsedTime(clock.StartTimestamp);
    }

    private void Play(Playhead playhead, in RecordedFrame frame)
    {
        var subscription = playhead.Subscription;
        if (session.EndsByFault(subscription)) return;
        if (playhead.Book is not { } book)
        {
            session.SendText(frame.Type, _replayedText.Of(frame, subscription, playhead.Track));
            return;
        }

        bool beginsAgain = playhead is { Round: > 0, Played: 0 };
        // The last round's book is not what these changes were made to.
        if (beginsAgain && !frame.IsSnapshot) SendSnapshot(subscription, playhead.Ticker, commandId: null);
        lock (book.Gate)
        {
            long before = subscription.LastSeq;
            var text = _replayedText.Of(frame, subscription, playhead.Track);
            session.SendText(frame.Type, subscription.UseYesPrice ? YesPriceForm.Of(text, _yesPriceText) : text);
            // Positions and recorded numbers begin again with a round, recorded numbers also where the recorder had reconnected.
            if (beginsAgain || subscription.LastSeq <= before) book.Trail.Clear();
            book.Trail.Add(subscription.LastSeq, playhead.Played + 1);
        }
    }

    /// <summary>False when the track has ended for good.</summary>
    private bool Advance(Playhead playhead)
    {
        playhead.Played++;
        if (playhead.LastPlayed is { } lastPlayed) lastPlayed.Frames = playhead.Played;
        if (playhead.Played < playhead.Track.Frames.Length) return true;
        if (!options.Loop) return false;
        playhead.Round++;
        playhead.Played = 0;
        return true;
    }
}
