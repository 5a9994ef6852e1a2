using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Gateway.Channels;

namespace MarketData.Gateway.Feed;

/// <summary>Whether a market's book can be given to clients.</summary>
public enum BookState : byte
{
    /// <summary>Nothing is being received, or nothing has been asked for yet.</summary>
    Idle,

    /// <summary>Messages are kept until the snapshot key has been read.</summary>
    Syncing,

    /// <summary>The book follows the stream without a hole.</summary>
    Live,
}

/// <summary>What applying a book message led to.</summary>
public enum BookStep : byte
{
    /// <summary>Nothing to tell anybody.</summary>
    None,

    /// <summary>The message continues the stream: pass it on.</summary>
    PassOn,

    /// <summary>The message is a snapshot with which the book has become right: everybody needs it.</summary>
    Reset,

    /// <summary>Something is missing: the snapshot key must be read now.</summary>
    NeedsKey,
}

/// <summary>
/// One market as the gateway receives it: its book with the rules that keep it right, and the position of its other streams. Belongs
/// to the feed's loop.
/// </summary>
/// <remarks>
/// The book is Live after a snapshot from the stream, or after its key has been read since the subscription began and what arrived
/// meanwhile follows on it. The relay writes the key up to a quarter of a second after the message, so the key that was read may be
/// older than messages that were published before the subscription. The next message would show that, but a quiet market has none:
/// so the key is read again, ever more rarely, as long as the book is Live.
/// </remarks>
public sealed class MarketFeed(string ticker)
{
    // Covers what a busy market sends while its key is late by seconds.
    private const int MaxPending = 1024;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100), MaxRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstConfirmation = TimeSpan.FromMilliseconds(500), MaxConfirmation = TimeSpan.FromMinutes(1);

    private readonly byte[] _utf8 = Encoding.UTF8.GetBytes(ticker);
    private readonly List<byte[]> _pending = [];
    private readonly SequencedBook _book = new();
    private readonly StreamPosition[] _last = new StreamPosition[Enum.GetValues<StreamKind>().Length];
    private readonly RecentMessages[] _recent = [.. Enum.GetValues<StreamKind>().Select(_ => new RecentMessages())];
    private byte[]? _snapshot;
    private bool _isReading;
    private int _reads;
    private StreamPosition _keyAhead;

    public string Ticker => Market.Ticker;

    /// <summary>Its identity.</summary>
    public Market Market { get; } = new(ticker);

    public BookState State { get; private set; }

    /// <summary>Whether a book is known, right or not: clients may hold it.</summary>
    public bool HasBook => _book.HasBase;

    /// <summary>
    /// Whether the stream or the key has shown since the book went Live that nothing is missing. Before, a message that was published
    /// shortly before the subscription may be; that is the way of joining and no loss.
    /// </summary>
    public bool IsConfirmed { get; private set; }

    /// <summary>Clients' channels of this market alone, and those of its book among them.</summary>
    public int Interest { get; set; }

    public int BookInterest { get; set; }

    /// <summary>The last ticker envelope.</summary>
    public byte[]? LastTicker { get; private set; }

    /// <summary>Number of the current row of key reads; answers to earlier ones are void.</summary>
    public int Attempt { get; private set; }

    /// <summary>
    /// When to read the key after <see cref="OnKey"/> or a <see cref="BookStep.Reset"/>: soon while the book is not right, to confirm it
    /// once it is.
    /// </summary>
    public TimeSpan NextRead => State == BookState.Live ? Backoff(FirstConfirmation, MaxConfirmation) : Backoff(FirstRetry, MaxRetry);

    /// <summary>Begins a synchronization: what arrives from now on is kept until the key, to be read now, fits.</summary>
    public void StartSync()
    {
        Enter(BookState.Syncing);
        _isReading = true;
    }

    /// <summary>The stream is no longer received.</summary>
    public void Stop() => Enter(BookState.Idle);

    /// <summary>Takes a message of the book stream.</summary>
    public BookStep OnBook(byte[] value, in Envelope envelope)
    {
        if (State == BookState.Live || envelope.Channel == MarketChannel.OrderbookSnapshot)
        {
            var outcome = _book.Apply(value, envelope);
            if (outcome == BookOutcome.Duplicate) return BookStep.None;
            if (outcome == BookOutcome.Applied)
            {
                _snapshot = null;
                var step = State == BookState.Live ? BookStep.PassOn : BookStep.Reset;
                if (step == BookStep.Reset) Enter(BookState.Live);
                IsConfirmed = true;
                return step;
            }

            Enter(BookState.Syncing);
        }

        // Beyond the bound the oldest go: the key will be read again until it is young enough for what is left.
        if (_pending.Count == MaxPending) _pending.RemoveRange(0, MaxPending / 2);
        _pending.Add(value);
        if (_isReading || _pending.Count > 1) return BookStep.None;
        // The first message is reason to read the key at once and not when the next read is due.
        Attempt++;
        _reads = 0;
        State = BookState.Syncing;
        _isReading = true;
        return BookStep.NeedsKey;
    }

    /// <summary>Takes the snapshot key's value. True when that made the book right: everybody needs it whole.</summary>
    /// <param name="value">The envelope, null when there is none.</param>
    public bool OnKey(byte[]? value)
    {
        _isReading = false;
        _reads++;
        Envelope key = default;
        bool hasKey = value != null && Envelope.TryParse(value, out key, out _) && key.Channel == MarketChannel.OrderbookSnapshot;
        return State == BookState.Live ? OnConfirmation(hasKey ? value : null, key) : OnBase(hasKey ? value : null, key);
    }

    /// <summary>The last messages of a stream.</summary>
    public RecentMessages Recent(StreamKind stream) => _recent[(int)stream];

    /// <summary>The last position of a stream that is no book; the default when none is known.</summary>
    public StreamPosition Last(StreamKind stream) => stream == StreamKind.OrderBook ? _book.Position : _last[(int)stream];

    /// <summary>A stream is no longer received: what comes later does not follow on it.</summary>
    public void Forget(StreamKind stream)
    {
        _last[(int)stream] = default;
        _recent[(int)stream].Clear();
    }

    /// <summary>Takes a message of another stream; false when it was received before.</summary>
    /// <param name="value">The envelope.</param>
    /// <param name="envelope">The same, parsed.</param>
    /// <param name="missed">The numbers before it that never came; null when there are none.</param>
    public bool OnOther(byte[] value, in Envelope envelope, out (long From, long To)? missed)
    {
        missed = null;
        var stream = envelope.Channel.Stream();
        // Envelopes without a number are passed on as they come.
        if (envelope.StreamSequence > 0)
        {
            var last = _last[(int)stream];
            if (envelope.Position <= last) return false;
            if (last.Sequence > 0 && last.Epoch == envelope.Position.Epoch && envelope.StreamSequence > last.Sequence + 1) missed = (last.Sequence + 1, envelope.StreamSequence - 1);
            if (missed != null || last.Epoch != envelope.Position.Epoch) _recent[(int)stream].Clear();
            _last[(int)stream] = envelope.Position;
        }

        if (stream == StreamKind.Ticker) LastTicker = value;
        return true;
    }

    /// <summary>The book whole, as an envelope; made once for each state of the book. Call only while live.</summary>
    public byte[] Snapshot(SnapshotEnvelope writer, TimeProvider time) =>
        _snapshot ??= writer.Write(_utf8, _book, time.GetUtcNow().ToUnixTimeMilliseconds()).ToArray();

    private bool OnBase(byte[]? value, in Envelope key)
    {
        bool isRight = value != null && _book.Apply(value, key) is BookOutcome.Applied or BookOutcome.Duplicate;
        int taken = 0;
        for (; _book.HasBase && taken < _pending.Count && Envelope.TryParse(_pending[taken], out var envelope, out _); taken++)
        {
            var outcome = _book.Apply(_pending[taken], envelope);
            if (outcome is BookOutcome.Gap or BookOutcome.Invalid) break;
            // Also without a key: the book of before a loss that goes on where it ended has lost nothing.
            if (outcome == BookOutcome.Applied) isRight = true;
        }

        _pending.RemoveRange(0, taken);
        if (!isRight || !_book.HasBase || _pending.Count > 0) return false;
        _snapshot = null;
        Enter(BookState.Live);
        return true;
    }

    private bool OnConfirmation(byte[]? value, in Envelope key)
    {
        // A key may overtake messages that are still on their way here; what the book has not reached by the next read is lost.
        bool isLost = _keyAhead > _book.Position;
        _keyAhead = default;
        if (isLost)
        {
            Enter(BookState.Syncing);
            return OnBase(value, key);
        }

        if (value == null) return false;
        if (key.Position > _book.Position)
        {
            _keyAhead = key.Position;
            _reads = 0;
        }
        else
        {
            IsConfirmed = true;
        }

        return false;
    }

    private void Enter(BookState state)
    {
        State = state;
        IsConfirmed = false;
        Attempt++;
        _reads = 0;
        _isReading = false;
        _keyAhead = default;
        _pending.Clear();
    }

    private TimeSpan Backoff(TimeSpan first, TimeSpan max)
    {
        var delay = first * (1L << Math.Min(_reads, 20));
        return delay < max ? delay : max;
    }
}
