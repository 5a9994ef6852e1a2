using System.Text;
using MarketData.Domain.Frames;

namespace MarketData.Ingest.Upstream;

/// <summary>What a received frame is to the session.</summary>
public enum Observation : byte
{
    /// <summary>It goes on.</summary>
    Taken,

    /// <summary>It goes on, but frames before it are missing: no book is right until its next snapshot.</summary>
    BooksLost,

    /// <summary>It goes on, but frames before it are missing, of a subscription without books.</summary>
    Gap,

    /// <summary>Its number came before. It must not be taken twice, and no book is sure until its next snapshot.</summary>
    BooksRepeated,

    /// <summary>Its number came before, of a subscription without books. It must not be taken twice.</summary>
    Repeated,
}

/// <summary>
/// The subscriptions of one connection: sends commands one at a time, each after the answer to the one before, and watches over what
/// arrives. Sending runs beside receiving, which hands every frame to <see cref="Observe"/>.
/// </summary>
public sealed partial class SubscriptionSession : IDisposable
{
    private const string BookChannel = "orderbook_delta", TradeChannel = "trade", SeedSnapshotChannel = "orderbook_snapshot";

    // Error codes after which a subscription has lost messages and is over: channel error, internal error (older), buffer overflow.
    private static readonly int[] TerminalCodes = [10, 17, 25];
    private static readonly string[] AllMarketChannels = ["ticker", TradeChannel, "market_lifecycle_v2"];

    // Its two forms name tickers differently, and take whatever channel they do not have.
    private static readonly string[] SeedChannels = [SeedSnapshotChannel, BookChannel, "ticker", "ticker_v2", TradeChannel];

    // A book whose snapshot did not help is asked for again with the next refresh, not at once.
    private static readonly TimeSpan BookRetry = TimeSpan.FromSeconds(30), ResyncPause = TimeSpan.FromSeconds(1), SnapshotTimeout = TimeSpan.FromSeconds(5);
    private readonly CommandSender _commands;
    private readonly IReadOnlyList<string> _allMarketChannels;
    private readonly MarketDirectory _directory;
    private readonly TradeFiller _trades;
    private readonly UpstreamOptions _options;
    private readonly IngestMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SequenceTracker _sequences = new();
    private readonly ResyncQueue _resync = new();
    private readonly bool _isSeed;

    // Belong to the sending loop.
    private readonly HashSet<string> _channels = [], _books = [];
    private readonly Dictionary<string, long> _askedAt = [];
    private readonly HashSet<string> _stale = [];
    private string? _refusal;
    private long? _resyncedAt;

    // Belong to the receiving loop; the sending loop reads and clears the number.
    private readonly Dictionary<long, string> _channelOf = [];
    private long _bookSid;

    /// <param name="connection">Just opened.</param>
    /// <param name="hasAllMarketChannels">Whether it also has the channels that cover every market.</param>
    /// <param name="directory">Brings what other connections hear, until the session is disposed of.</param>
    /// <param name="trades">Told when trades may be missing.</param>
    /// <param name="options">Sizes and waits.</param>
    /// <param name="metrics">Counts resyncs.</param>
    /// <param name="time">Measures waits.</param>
    /// <param name="logger">Of the feed.</param>
    public SubscriptionSession(
        ExchangeConnection connection, bool hasAllMarketChannels, MarketDirectory directory, TradeFiller trades,
        UpstreamOptions options, IngestMetrics metrics, TimeProvider time, ILogger logger)
    {
        _commands = new CommandSender(connection, time);
        _isSeed = options.Dialect == "seed";
        _allMarketChannels = hasAllMarketChannels ? AllMarketChannels : [];
        (_directory, _trades, _options, _metrics, _time, _logger) = (directory, trades, options, metrics, time, logger);
        _directory.Closed += _resync.MarketClosed;
        // Who has the channels that cover every market hears of new ones itself, and lists.
        if (!hasAllMarketChannels) _directory.Listed += _resync.MarketsChanged;
    }

    /// <summary>Markets whose order book is subscribed on this connection.</summary>
    public int BookCount => _books.Count;

    /// <summary>Whether a market's order book is subscribed. For the loop that subscribes.</summary>
    public bool HasBook(string ticker) => _books.Contains(ticker);

    /// <summary>What is not as it should be; null when all is.</summary>
    public string? Problem =>
        _refusal != null ? $"the exchange refused {_refusal}"
        : _stale.Count > 0 ? $"{_stale.Count} of them stay without a usable snapshot: {string.Join(", ", _stale.Take(5))}"
        : null;

    /// <summary>
    /// Subscribes what is not subscribed yet: the channels that cover every market, then the order books of these markets in batches.
    /// What the exchange refuses stays out, for the next call to try again.
    /// </summary>
    /// <exception cref="TimeoutException">The exchange did not answer.</exception>
    public async Task SubscribeAsync(IEnumerable<string> tickers, CancellationToken cancellationToken)
    {
        _refusal = null;
        await SubscribeChannelsAsync(cancellationToken);
        await SubscribeBooksAsync(tickers, cancellationToken);
        foreach (string ticker in _stale) _resync.AskForBook(ticker);
        _stale.Clear();
    }

    /// <summary>Waits until something must be asked for anew; false when nothing was within the _time.</summary>
    public async Task<bool> WaitForDemandAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        try
        {
            await _resync.Demanded.WaitAsync(within > TimeSpan.Zero ? within : TimeSpan.Zero, _time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>
    /// Asks anew for what was lost: <c>get_snapshot</c> on the running subscription first, a new subscription when that brings nothing.
    /// </summary>
    /// <returns>Whether markets came or went, so that the listing is worth a look.</returns>
    /// <exception cref="TimeoutException">The exchange did not answer: only a new connection helps.</exception>
    /// <exception cref="SubscriptionLostException">The subscription cannot be named, so only a new connection helps.</exception>
    public async Task<bool> ResyncAsync(CancellationToken cancellationToken)
    {
        var demand = _resync.Take();
        if (demand.Channels.Count > 0)
        {
            _channels.ExceptWith(demand.Channels);
            await SubscribeChannelsAsync(cancellationToken);
        }

        if (demand.BooksEnded) await ResubscribeBooksAsync(unsubscribe: false, cancellationToken);
        else if (demand.AllBooks) await ResyncAllAsync(cancellationToken);
        else await ResyncBooksAsync([.. demand.Books.Where(_books.Contains)], cancellationToken);
        await LeaveAsync([.. demand.Closed.Where(_books.Contains)], cancellationToken);
        return demand.Refresh;
    }

    /// <summary>Takes note of a received frame: an answer ends the wait of its command, sequence numbers are checked.</summary>
    /// <exception cref="SubscriptionLostException">The exchange has ended a subscription that it does not name.</exception>
    public Observation Observe(ReadOnlySpan<byte> bytes, in ExchangeFrame frame)
    {
        var observation = frame is { Sid: > 0, Seq: { } seq } ? CheckSequence(frame.Sid, seq) : Observation.Taken;
        switch (frame.Type)
        {
            case FrameType.OrderbookSnapshot when observation != Observation.BooksRepeated:
                NoteSnapshot(frame.Ticker.Of(bytes));
                break;
            case FrameType.Lifecycle:
                ObserveLifecycle(bytes, frame);
                break;
            case FrameType.Subscribed or FrameType.Unsubscribed or FrameType.Ok or FrameType.Error:
                var body = ControlBody.Read(frame.Body.Of(bytes));
                if (frame.Type == FrameType.Subscribed && body is { Channel: { } channel, Sid: > 0 }) NoteSid(channel, body.Sid);
                string? refusal = frame.Type == FrameType.Error ? Encoding.UTF8.GetString(frame.Body.Of(bytes)) : null;
                // It has no code, and tells the end of all subscriptions and most refusals without the id of a command.
                if (_isSeed && refusal != null && frame.Id == 0) throw new SubscriptionLostException(frame.Sid, refusal);
                if (TerminalCodes.Contains(body.Code) && EndSubscription(frame.Sid, refusal!)) observation = Observation.BooksLost;
                else if (!_commands.TryAnswer(frame.Id, refusal) && refusal != null) LogError(refusal);
                break;
        }

        return observation;
    }

    /// <summary>A market's book is wrong for itself.</summary>
    public void BookIsBroken(string ticker) => _resync.AskForBook(ticker);

    public void Dispose()
    {
        _directory.Closed -= _resync.MarketClosed;
        _directory.Listed -= _resync.MarketsChanged;
    }

    private Observation CheckSequence(long sid, long seq)
    {
        long last = _sequences.Last(sid);
        var step = _sequences.Take(sid, seq);
        if (step == SequenceStep.InOrder) return Observation.Taken;
        LogSequence(sid, last, seq);
        // A subscription that was never acknowledged may be any.
        string? channel = _channelOf.GetValueOrDefault(sid);
        bool isBooks = sid == Interlocked.Read(ref _bookSid) || channel == null;
        if (isBooks) _resync.AskForAllBooks();
        if (channel is null or TradeChannel) _trades.NoteLoss();
        return step == SequenceStep.Repeated
            ? isBooks ? Observation.BooksRepeated : Observation.Repeated
            : isBooks ? Observation.BooksLost : Observation.Gap;
    }

    private void NoteSnapshot(ReadOnlySpan<byte> ticker)
    {
        // Tickers are plain text, one character a byte.
        Span<char> text = ticker.Length <= 256 ? stackalloc char[ticker.Length] : new char[ticker.Length];
        Encoding.ASCII.GetChars(ticker, text);
        _resync.SnapshotArrived(text);
    }

    private void NoteSid(string channel, long sid)
    {
        _channelOf[sid] = channel;
        if (channel == BookChannel) Interlocked.Exchange(ref _bookSid, sid);
        else if (channel == TradeChannel) _trades.NoteSubscribed();
    }

    private void ObserveLifecycle(ReadOnlySpan<byte> bytes, in ExchangeFrame frame)
    {
        if (frame.Ticker.IsEmpty) return;
        string? happened = ControlBody.Read(frame.Body.Of(bytes)).EventType;
        if (happened is "determined" or "settled") _directory.NoteClosed(Encoding.UTF8.GetString(frame.Ticker.Of(bytes)));
        else if (happened is "created" or "activated") _resync.MarketsChanged();
    }

    // True when it was the subscription to books.
    private bool EndSubscription(long sid, string reason)
    {
        if (!_channelOf.Remove(sid, out string? channel)) throw new SubscriptionLostException(sid, reason);
        LogEnded(channel, reason);
        if (channel == TradeChannel) _trades.NoteLoss();
        if (channel == BookChannel) _resync.BooksEnded();
        else _resync.ChannelEnded(channel);
        return channel == BookChannel;
    }

    private async Task SubscribeChannelsAsync(CancellationToken cancellationToken)
    {
        if (_isSeed) return;
        foreach (string channel in _allMarketChannels.Except(_channels).ToList())
        {
            if (await CommandAsync("subscribe", $"subscribe {channel}", new { channels = new[] { channel } }, cancellationToken)) _channels.Add(channel);
        }
    }

    private async Task SubscribeBooksAsync(IEnumerable<string> tickers, CancellationToken cancellationToken)
    {
        foreach (var batch in tickers.Except(_books).Chunk(_options.BatchSize).ToList())
        {
            if (_books.Count > 0) await PauseAsync(cancellationToken);
            // The default of use_yes_price is announced to change, so it is always sent. Without skip_ticker_ack each answer would list
            // every market subscribed so far.
            object parameters = _isSeed
                ? new { channels = SeedChannels, market_tickers = batch }
                : new { channels = new[] { BookChannel }, market_tickers = batch, use_yes_price = false, skip_ticker_ack = true };
            if (await CommandAsync("subscribe", $"subscribe {batch.Length} order books", parameters, cancellationToken)) _books.UnionWith(batch);
        }
    }

    private async Task ResyncAllAsync(CancellationToken cancellationToken)
    {
        // Losses in a row share one resync: the next begins when this one has been over for a second.
        if (_resyncedAt is { } at && ResyncPause - _time.GetElapsedTime(at) is { Ticks: > 0 } pause) await Task.Delay(pause, _time, cancellationToken);
        await ResyncBatchesAsync([.. _books], cancellationToken);
        _resyncedAt = _time.GetTimestamp();
    }

    private async Task ResyncBooksAsync(IReadOnlyList<string> tickers, CancellationToken cancellationToken)
    {
        var due = tickers.Where(ticker => !_askedAt.TryGetValue(ticker, out long at) || _time.GetElapsedTime(at) >= BookRetry).ToList();
        _stale.UnionWith(tickers.Except(due));
        foreach (string ticker in due) _askedAt[ticker] = _time.GetTimestamp();
        await ResyncBatchesAsync(due, cancellationToken);
    }

    private async Task ResyncBatchesAsync(IReadOnlyList<string> tickers, CancellationToken cancellationToken)
    {
        bool isFirst = true;
        foreach (var batch in tickers.Chunk(_options.BatchSize))
        {
            if (!isFirst) await PauseAsync(cancellationToken);
            isFirst = false;
            if (await GetSnapshotsAsync(batch, cancellationToken))
            {
                _metrics.Resynced(batch.Length);
                continue;
            }

            await ResubscribeBooksAsync(unsubscribe: true, cancellationToken);
            return;
        }
    }

    // False when the exchange refused or did not answer.
    private async Task<bool> GetSnapshotsAsync(string[] batch, CancellationToken cancellationToken)
    {
        // Whoever subscribes once more gets the snapshot once more.
        if (_isSeed) return await CommandAsync("subscribe", $"subscribe {batch.Length} snapshots", new { channels = new[] { SeedSnapshotChannel }, market_tickers = batch }, cancellationToken);
        var parameters = new { sids = new[] { Interlocked.Read(ref _bookSid) }, action = "get_snapshot", market_tickers = batch };
        try
        {
            // Snapshots answer the command; only a refusal comes as an answer to it alone.
            var arrived = _resync.ExpectSnapshots(batch);
            if (await _commands.AskAsync("update_subscription", parameters, arrived, SnapshotTimeout, cancellationToken) is not { } refusal) return true;
            LogNoSnapshots(batch.Length, refusal);
        }
        catch (TimeoutException exception)
        {
            LogNoSnapshots(batch.Length, exception.Message);
        }

        return false;
    }

    private async Task ResubscribeBooksAsync(bool unsubscribe, CancellationToken cancellationToken)
    {
        var tickers = _books.ToList();
        long sid = Interlocked.Exchange(ref _bookSid, 0);
        if (unsubscribe)
        {
            if (sid == 0) throw new SubscriptionLostException(sid, "it has no number, so it can neither be resynchronized nor ended");
            await CommandAsync("unsubscribe", $"unsubscribe {sid}", new { sids = new[] { sid } }, cancellationToken);
        }

        _books.Clear();
        await SubscribeBooksAsync(tickers, cancellationToken);
        _metrics.Resynced(tickers.Count);
    }

    private async Task LeaveAsync(IReadOnlyList<string> tickers, CancellationToken cancellationToken)
    {
        foreach (var batch in tickers.Chunk(_options.BatchSize))
        {
            var parameters = new { sids = new[] { Interlocked.Read(ref _bookSid) }, action = "delete_markets", market_tickers = batch };
            if (await CommandAsync("update_subscription", $"leave {batch.Length} closed markets", parameters, cancellationToken)) _books.ExceptWith(batch);
        }
    }

    private Task PauseAsync(CancellationToken cancellationToken) => Task.Delay(TimeSpan.FromMilliseconds(_options.BatchPauseMs), _time, cancellationToken);

    // False when the exchange refused.
    private async Task<bool> CommandAsync(string name, string what, object parameters, CancellationToken cancellationToken)
    {
        if (await _commands.AskAsync(name, parameters, data: null, TimeSpan.FromSeconds(_options.AnswerSeconds), cancellationToken) is not { } refusal) return true;
        LogRefusal(what, refusal);
        _refusal = $"{what}: {refusal}";
        return false;
    }

    [LoggerMessage(1, LogLevel.Error, "The exchange refused '{Command}': {Reason}")]
    private partial void LogRefusal(string command, string reason);

    [LoggerMessage(2, LogLevel.Warning, "The exchange reported an error that answers no command: {Reason}")]
    private partial void LogError(string reason);

    [LoggerMessage(3, LogLevel.Warning, "Subscription {Sid} went from sequence number {Last} to {Seq}; its books are asked for anew.")]
    private partial void LogSequence(long sid, long last, long seq);

    [LoggerMessage(4, LogLevel.Warning, "The exchange ended the subscription to {Channel}, which is subscribed again: {Reason}")]
    private partial void LogEnded(string channel, string reason);

    [LoggerMessage(5, LogLevel.Warning, "Snapshots of {Books} order books did not come; subscribing all books anew: {Reason}")]
    private partial void LogNoSnapshots(int books, string reason);
}

/// <summary>The exchange has ended a subscription, of which messages are lost.</summary>
public sealed class SubscriptionLostException(long sid, string reason) : Exception($"The exchange ended subscription {sid}: {reason}");
