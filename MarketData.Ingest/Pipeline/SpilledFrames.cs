using MarketData.Domain.Frames;
using MarketData.Ingest.Upstream;

namespace MarketData.Ingest.Pipeline;

/// <summary>
/// What was left out while Kafka took less than the exchange brought: order books, which can be asked for anew, and tickers, of which only
/// the newest counts. Bounded by the number of markets. Not thread-safe.
/// </summary>
public sealed class SpilledFrames
{
    private readonly HashSet<TrackedMarket> _books = [];
    private readonly Dictionary<TrackedMarket, SpilledTicker> _tickers = [];

    public bool IsEmpty => _books.Count == 0 && _tickers.Count == 0;

    /// <summary>Whether frames of this type can be left out: the next one tells all that the lost one told.</summary>
    public static bool CanSpill(FrameType type) => type is FrameType.OrderbookSnapshot or FrameType.OrderbookDelta or FrameType.Ticker;

    /// <summary>Leaves a frame out; its market's book is stale from here on.</summary>
    public void Add(TrackedMarket market, in ReceivedFrame received, in ExchangeFrame frame)
    {
        if (frame.Type == FrameType.Ticker)
        {
            // The receive buffer is used again.
            _tickers[market] = new SpilledTicker(received with { Bytes = received.Bytes.ToArray() }, frame);
            return;
        }

        _books.Add(market);
        market.Connection = received.Connection;
        if (market.State == BookState.Current) market.State = BookState.Stale;
    }

    /// <summary>Takes note of a frame that goes on: it tells what an earlier one of its market would have told.</summary>
    public void Supersede(TrackedMarket market, FrameType type)
    {
        if (type == FrameType.Ticker) _tickers.Remove(market);
        else if (type == FrameType.OrderbookSnapshot) _books.Remove(market);
    }

    /// <summary>Takes the markets of one connection whose book was left out and has not come anew.</summary>
    public IReadOnlyList<TrackedMarket> TakeBooks(int connection)
    {
        TrackedMarket[] books = [.. _books.Where(market => market.Connection == connection)];
        _books.ExceptWith(books);
        return books;
    }

    /// <summary>Takes the newest ticker of every market whose tickers were left out.</summary>
    public IReadOnlyList<SpilledTicker> TakeTickers()
    {
        SpilledTicker[] tickers = [.. _tickers.Values];
        _tickers.Clear();
        return tickers;
    }

    public void Clear()
    {
        _books.Clear();
        _tickers.Clear();
    }
}

/// <summary>A ticker that waits for room in the queue to Kafka.</summary>
public sealed record SpilledTicker(ReceivedFrame Received, ExchangeFrame Frame);
