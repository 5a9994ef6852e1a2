using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

namespace MarketData.Benchmarks.Load;

/// <summary>
/// What a client may expect of the data, checked for one client: a book begins with a snapshot, only a snapshot may jump, and every other
/// stream counts on without a hole. Not thread-safe.
/// </summary>
internal sealed class StreamChecker
{
    private const int FaultsKept = 5;

    private readonly Dictionary<byte[], SequencedBook> _books = new(Utf8TextComparer.Instance);
    private readonly Dictionary<(string Ticker, StreamKind Stream), StreamPosition> _positions = [];
    private readonly List<string> _faults = [];

    public long Messages { get; private set; }

    public long Faults { get; private set; }

    /// <summary>The first faults as text.</summary>
    public IReadOnlyList<string> FirstFaults => _faults;

    /// <summary>Takes a data message.</summary>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        Messages++;
        if (!Envelope.TryParse(bytes, out var envelope, out var error)) Note($"unreadable: {error}");
        else if (envelope.Channel.Stream() == StreamKind.OrderBook) TakeBook(bytes, envelope);
        else TakeOther(bytes, envelope);
    }

    /// <summary>A client that connects again begins anew.</summary>
    public void Forget()
    {
        _books.Clear();
        _positions.Clear();
    }

    private void TakeBook(ReadOnlySpan<byte> bytes, in Envelope envelope)
    {
        var ticker = envelope.Ticker.Of(bytes);
        var books = _books.GetAlternateLookup<ReadOnlySpan<byte>>();
        books.TryGetValue(ticker, out var book);
        var before = book?.Position ?? default;
        // A snapshot replaces the book, whatever its number is.
        if (envelope.Channel == MarketChannel.OrderbookSnapshot) books[ticker] = book = new SequencedBook();
        var outcome = book?.Apply(bytes, envelope);
        if (outcome != BookOutcome.Applied)
            Note($"{envelope.Channel} {envelope.Position} of {Encoding.UTF8.GetString(ticker)} after {before}: {outcome?.ToString() ?? "no snapshot"}");
    }

    private void TakeOther(ReadOnlySpan<byte> bytes, in Envelope envelope)
    {
        var stream = (Encoding.UTF8.GetString(envelope.Ticker.Of(bytes)), envelope.Channel.Stream());
        bool follows = !_positions.TryGetValue(stream, out var last) || envelope.Position == last.Next
            || (envelope.StreamEpoch > last.Epoch && envelope.StreamSequence == 1);
        if (!follows) Note($"{envelope.Channel} of {stream.Item1} went from {last} to {envelope.Position}");
        _positions[stream] = envelope.Position;
    }

    private void Note(string fault)
    {
        Faults++;
        if (_faults.Count < FaultsKept) _faults.Add(fault);
    }
}
