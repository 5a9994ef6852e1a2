using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

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

    /// <summary>The book has just become right: everybody needs it whole.</summary>
    Reset,

    /// <summary>Something is missing: the snapshot key must be read.</summary>
    NeedsKey,
}

/// <summary>
/// One market as the gateway receives it: its book with the rules that keep it right, and the position of its other streams. Belongs
/// to the feed's loop.
/// </summary>
public sealed class MarketFeed(string ticker)
{
    private const int MaxPending = 10_000;
    private readonly byte[] _utf8 = Encoding.UTF8.GetBytes(ticker);
    private readonly List<byte[]> _pending = [];
    private readonly SequencedBook _book = new();
    private readonly StreamPosition[] _last = new StreamPosition[Enum.GetValues<StreamKind>().Length];
    private byte[]? _snapshot;

    public string Ticker { get; } = ticker;

    public BookState State { get; private set; }

    /// <summary>Redis channels of this market alone that are subscribed, and those of its book among them.</summary>
    public int Interest { get; set; }

    public int BookInterest { get; set; }

    /// <summary>The last ticker envelope.</summary>
    public byte[]? LastTicker { get; private set; }

    /// <summary>Number of the synchronization under way; answers to earlier ones are out of date.</summary>
    public int Attempt { get; private set; }

    /// <summary>Reads of the key in this synchronization that did not suffice.</summary>
    public int Retries { get; private set; }

    /// <summary>Whether an answer to this attempt's request is on its way.</summary>
    public bool IsReadingKey { get; set; }

    /// <summary>Whether messages wait for the key.</summary>
    public bool HasPending => _pending.Count > 0;

    /// <summary>Begins a synchronization: what arrives from now on is kept until the key has been read.</summary>
    public void StartSync()
    {
        State = BookState.Syncing;
        Attempt++;
        Retries = 0;
        IsReadingKey = false;
        _pending.Clear();
    }

    /// <summary>The stream is no longer received.</summary>
    public void Stop()
    {
        StartSync();
        State = BookState.Idle;
    }

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
                if (State == BookState.Live) return BookStep.PassOn;
                GoLive();
                return BookStep.Reset;
            }

            StartSync();
        }

        // Beyond the bound the oldest go: the key will be read again until it is young enough for what is left.
        if (_pending.Count == MaxPending) _pending.RemoveRange(0, MaxPending / 2);
        _pending.Add(value);
        return IsReadingKey ? BookStep.None : BookStep.NeedsKey;
    }

    /// <summary>Takes the snapshot key's value, then what arrived meanwhile.</summary>
    /// <param name="value">The envelope, null when there is none.</param>
    public BookStep OnKey(byte[]? value)
    {
        IsReadingKey = false;
        bool wasLive = State == BookState.Live;
        bool isNewer = value != null && Envelope.TryParse(value, out var key, out _) && _book.Apply(value, key) == BookOutcome.Applied;
        // Read once more while live: a key that is ahead shows a message that was published before the subscription began.
        if (wasLive && !isNewer) return BookStep.None;
        _snapshot = null;
        int applied = 0;
        while (_book.HasBase && applied < _pending.Count
            && Envelope.TryParse(_pending[applied], out var envelope, out _)
            && _book.Apply(_pending[applied], envelope) is BookOutcome.Applied or BookOutcome.Duplicate)
            applied++;
        _pending.RemoveRange(0, applied);
        if (_book.HasBase && _pending.Count == 0)
        {
            GoLive();
            return BookStep.Reset;
        }

        State = BookState.Syncing;
        Retries++;
        return BookStep.NeedsKey;
    }

    /// <summary>Takes a message of another stream; false when it was received before.</summary>
    public bool OnOther(byte[] value, in Envelope envelope)
    {
        var stream = envelope.Channel.Stream();
        // Envelopes without a number are passed on as they come.
        if (envelope.StreamSequence > 0)
        {
            if (envelope.Position <= _last[(int)stream]) return false;
            _last[(int)stream] = envelope.Position;
        }

        if (stream == StreamKind.Ticker) LastTicker = value;
        return true;
    }

    /// <summary>The book whole, as an envelope; made once for each state of the book. Call only while live.</summary>
    public byte[] Snapshot(SnapshotEnvelope writer, TimeProvider time) =>
        _snapshot ??= writer.Write(_utf8, _book, time.GetUtcNow().ToUnixTimeMilliseconds()).ToArray();

    private void GoLive()
    {
        State = BookState.Live;
        Attempt++;
        Retries = 0;
        IsReadingKey = false;
        _pending.Clear();
    }
}
