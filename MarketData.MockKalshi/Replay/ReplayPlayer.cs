using System.Threading.Channels;
using MarketData.Domain.Frames;
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
    double speed,
    TimeProvider timeProvider)
    : IMarketFeed
{
    /// <summary>Frames between two looks at the client's commands and at the room in its queue.</summary>
    private const int BatchFrames = 64;

    /// <summary>A longer pause is slept in pieces of this.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMinutes(1);

    /// <summary>Recorded times farther apart than this are not times: what such a frame waits stays representable.</summary>
    private const double LongestPauseMs = 1e13;

    private readonly PriorityQueue<Playhead, int> _playing = new();
    private readonly Dictionary<(Subscription, string), Playhead> _playheads = [];
    private readonly FrameText _text = new(), _yesPriceText = new();
    private Clock? _clock;

    private readonly record struct Clock(long StartTimestamp, long StartTimeMs);

    /// <summary>One market's place on one channel.</summary>
    private sealed class Playhead(Subscription subscription, int[] track, LastPlayed? lastPlayed)
    {
        public Subscription Subscription { get; } = subscription;
        public int[] Track { get; } = track;
        public LastPlayed? LastPlayed { get; } = lastPlayed;

        /// <summary>Frames of the track already sent.</summary>
        public int Played { get; set; }
        public bool Stopped { get; set; }
    }

    /// <summary>Ends only by cancellation: after the last frame the connection stays open.</summary>
    public async Task RunAsync(ChannelReader<Command> commands, CancellationToken cancellationToken)
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
            if (_playheads.Remove((subscription, ticker), out var playhead)) playhead.Stopped = true;
        }
    }

    public void SendSnapshot(Subscription subscription, string ticker, long? commandId)
    {
        var book = _playheads.TryGetValue((subscription, ticker), out var playhead) ? books.After(playhead.Track, playhead.Played) : null;
        var message = MarketMessages.Snapshot(_text, ticker, markets.GetValueOrDefault(ticker)?.MarketId, book, subscription.UseYesPrice);
        session.Send(subscription, "orderbook_snapshot", message, commandId);
    }

    public string? FindTicker(Guid marketId) => recording.Markets.FirstOrDefault(market => market.MarketId == marketId)?.Ticker;

    private void Start(Subscription subscription, string ticker)
    {
        int[] track = recording.Track(subscription.Channel, ticker);
        bool isBook = subscription.Channel == FeedChannel.OrderbookDelta;
        if (isBook && !Array.Exists(track, index => recording.Frames[index].IsSnapshot)) SendSnapshot(subscription, ticker, commandId: null);
        if (track.Length == 0) return;

        var playhead = new Playhead(subscription, track, isBook ? books.LastPlayedOf(ticker) : null);
        _playheads.Add((subscription, ticker), playhead);
        _playing.Enqueue(playhead, track[0]);
    }

    /// <summary>Plays what is due; returns how long nothing more is, null when nothing more will be.</summary>
    private TimeSpan? PlayBatch()
    {
        for (int i = 0; i < BatchFrames; i++)
        {
            if (!_playing.TryPeek(out var playhead, out int index)) return null;
            if (playhead.Stopped)
            {
                _playing.Dequeue();
                continue;
            }

            if (UntilDue(recording.Frames[index].TimeMs) is var pause && pause > TimeSpan.Zero) return pause;
            Play(playhead, recording.Frames[index]);
            if (playhead.Played < playhead.Track.Length) _playing.DequeueEnqueue(playhead, playhead.Track[playhead.Played]);
            else _playing.Dequeue();
        }

        return TimeSpan.Zero;
    }

    private TimeSpan UntilDue(long timeMs)
    {
        if (speed == 0) return TimeSpan.Zero;
        var clock = _clock ??= new Clock(timeProvider.GetTimestamp(), timeMs);
        double recordedMs = (double)timeMs - clock.StartTimeMs;
        var due = TimeSpan.FromMilliseconds(Math.Clamp(recordedMs / speed, -LongestPauseMs, LongestPauseMs));
        return due - timeProvider.GetElapsedTime(clock.StartTimestamp);
    }

    private void Play(Playhead playhead, in RecordedFrame frame)
    {
        if (session.EndsByFault(playhead.Subscription)) return;
        var text = Renumber(frame, playhead.Subscription);
        if (playhead.Subscription.UseYesPrice && playhead.LastPlayed is not null) text = YesPriceForm.Of(text, _yesPriceText);
        session.SendText(frame.Type, text);
        playhead.Played++;
        if (playhead.LastPlayed is { } lastPlayed) lastPlayed.Frames = playhead.Played;
    }

    /// <summary>The frame with this connection's sid and seq in place of the recorded ones, and every other byte as it was.</summary>
    private ReadOnlySpan<byte> Renumber(in RecordedFrame frame, Subscription subscription)
    {
        var text = frame.Text.Span;
        bool sidFirst = frame.Sid.Start <= frame.Seq.Start;
        var (first, second) = sidFirst ? (frame.Sid, frame.Seq) : (frame.Seq, frame.Sid);
        _text.Clear();
        if (!first.IsEmpty) _text.Raw(text[..first.Start]).Number(sidFirst ? subscription.Sid : subscription.NextSeq());
        if (!second.IsEmpty) _text.Raw(text[End(first)..second.Start]).Number(sidFirst ? subscription.NextSeq() : subscription.Sid);
        return _text.Raw(text[Math.Max(End(first), End(second))..]).Written;
    }

    private static int End(ByteRange range) => range.Start + range.Length;
}
