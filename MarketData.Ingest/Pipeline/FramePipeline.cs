using System.Text;
using MarketData.Domain.Frames;
using MarketData.Ingest.Upstream;

namespace MarketData.Ingest.Pipeline;

/// <summary>
/// From a frame to a Kafka record: keeps private frames back, skips what changes nothing, produces what the stage made of the rest.
/// Callers take turns, which makes the order of their turns the order of the log.
/// </summary>
public sealed class FramePipeline(TrackedMarkets markets, EnvelopeStage stage, KafkaSink sink, IngestMetrics metrics, StageLatencies latencies, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SpilledFrames _spilled = new();

    /// <summary>
    /// Begins a term of leading: everything from here on carries it, and what other leaders still write is void from here on.
    /// </summary>
    /// <exception cref="Confluent.Kafka.KafkaException">Kafka is away or refused.</exception>
    public Task BeginAsync(long term, CancellationToken cancellationToken)
    {
        _spilled.Clear();
        return sink.FenceAsync(stage.BeginTerm(term), cancellationToken);
    }

    /// <summary>Takes a frame that came over the exchange's socket.</summary>
    /// <returns>A market of the same connection whose book needs a new snapshot, because this frame or what came before it cannot be right; null otherwise.</returns>
    /// <exception cref="EnvelopeLostException">Kafka refused this envelope or an earlier one.</exception>
    public async ValueTask<string?> ProcessAsync(ReceivedFrame received, ExchangeFrame frame, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (await TakeAsync(received, frame, cancellationToken) is { } broken) return broken;
            return stage.TakeCrossedForLong(received.Connection) is { } crossed ? await PublishStaleAsync(crossed, cancellationToken) : null;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Takes a missed trade, written as the socket would have brought it, unless the log has it.</summary>
    /// <exception cref="EnvelopeLostException">Kafka refused this envelope or an earlier one.</exception>
    public async Task FillTradeAsync(ReceivedFrame written, ExchangeFrame frame, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            // Most of what is asked for is there already, which is no repetition by the exchange.
            if (HasTrade(written.Bytes.Span, frame)) return;
            await ProduceTradeAsync(written, frame, stage.Process(written, frame, "kalshi-rest"u8), cancellationToken);
            metrics.FilledTrade();
        }
        finally
        {
            _turn.Release();
        }
    }

    private ValueTask<string?> TakeAsync(in ReceivedFrame received, in ExchangeFrame frame, CancellationToken cancellationToken)
    {
        switch (frame.Type)
        {
            case FrameType.Subscribed or FrameType.Unsubscribed or FrameType.Ok or FrameType.Error:
                return default;
            case FrameType.Private:
                metrics.Dropped(DropReason.Private);
                return default;
            case FrameType.Unknown when frame.TypeName.IsEmpty:
                metrics.Dropped(DropReason.Untyped);
                return default;
            case FrameType.Trade when HasTrade(received.Bytes.Span, frame):
                metrics.Skipped(SkipReason.RepeatedTrade);
                return default;
        }

        if (SpilledFrames.CanSpill(frame.Type) && SpillsOrGoesOn(received, frame))
        {
            metrics.Dropped(DropReason.Spilled);
            return default;
        }

        var staged = stage.Process(received, frame);
        if (frame.Type == FrameType.Trade) return ProduceTradeAsync(received, frame, staged, cancellationToken);
        switch (staged.Verdict)
        {
            case BookVerdict.Publish:
                metrics.Published(frame.Type);
                return ProduceAsync(staged.Market.Key, staged.Value!, received.ReceivedAt, cancellationToken);
            case BookVerdict.IdenticalSnapshot:
                metrics.Skipped(SkipReason.IdenticalSnapshot);
                return default;
            case BookVerdict.NoOpDelta:
                metrics.Skipped(SkipReason.NoOpDelta);
                return default;
            case BookVerdict.Stale:
                metrics.Dropped(DropReason.Stale);
                return default;
            default:
                metrics.Dropped(DropReason.Broken);
                return PublishStaleAsync(staged.Market, cancellationToken);
        }
    }

    // True when the queue to Kafka has no room for it.
    private bool SpillsOrGoesOn(in ReceivedFrame received, in ExchangeFrame frame)
    {
        bool spills = sink.IsNearlyFull;
        if (!spills && _spilled.IsEmpty) return false;
        var market = markets.Of(frame.Ticker.Of(received.Bytes.Span));
        if (spills) _spilled.Add(market, received, frame);
        else _spilled.Supersede(market, frame.Type);
        return spills;
    }

    private bool HasTrade(ReadOnlySpan<byte> bytes, in ExchangeFrame frame) => !frame.TradeId.IsEmpty && markets.Trades.Contains(frame.TradeId.Of(bytes));

    // A trade that the producer did not take is not known, so that it is taken when it comes again.
    private async ValueTask<string?> ProduceTradeAsync(ReceivedFrame received, ExchangeFrame frame, StagedFrame staged, CancellationToken cancellationToken)
    {
        metrics.Published(frame.Type);
        await ProduceAsync(staged.Market.Key, staged.Value!, received.ReceivedAt, cancellationToken);
        if (!frame.TradeId.IsEmpty) markets.Trades.TryAdd(frame.TradeId.Of(received.Bytes.Span), frame.Timestamp);
        return null;
    }

    /// <summary>
    /// Something was lost on a connection: publishes every book of it that was right so far once more, marked stale, so that everybody who
    /// holds it knows. Their next snapshots set them right.
    /// </summary>
    /// <param name="connection">Counted from 0.</param>
    /// <param name="cancellationToken">Gives up waiting for room in the queue.</param>
    /// <exception cref="EnvelopeLostException">Kafka refused some of it; every book is marked all the same.</exception>
    public async Task MarkStaleAsync(int connection, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            // The books that were left out were right once, and nobody has been told yet that they are not.
            var leftOut = _spilled.TakeBooks(connection).Where(market => market.State == BookState.Stale);
            await PublishAllStaleAsync(markets.Current(connection).Concat(leftOut), cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Once the queue to Kafka has room again: publishes the newest of the tickers that were left out, and marks a connection's books stale
    /// that were.
    /// </summary>
    /// <param name="connection">Counted from 0.</param>
    /// <param name="cancellationToken">Gives up waiting for room in the queue.</param>
    /// <returns>The markets whose books must be asked for anew.</returns>
    /// <exception cref="EnvelopeLostException">Kafka refused some of it.</exception>
    public async Task<IReadOnlyList<string>> RecoverSpilledAsync(int connection, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_spilled.IsEmpty || sink.IsNearlyFull) return [];
            foreach (var ticker in _spilled.TakeTickers())
            {
                await TakeAsync(ticker.Received, ticker.Frame, cancellationToken);
            }

            var books = _spilled.TakeBooks(connection);
            foreach (var market in books.Where(market => market.State == BookState.Stale)) await PublishStaleAsync(market, cancellationToken);
            return [.. books.Select(market => Encoding.UTF8.GetString(market.Key))];
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Marks the books stale that were read back from the log and that nobody will confirm: their markets closed, or vanished, while
    /// no process looked.
    /// </summary>
    /// <param name="isExpected">Whether the exchange will send a market's book.</param>
    /// <param name="cancellationToken">Gives up waiting for room in the queue.</param>
    /// <exception cref="EnvelopeLostException">Kafka refused some of it; every book is marked all the same.</exception>
    public async Task MarkUnexpectedStaleAsync(Predicate<string> isExpected, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await PublishAllStaleAsync(markets.Unconfirmed().Where(market => !isExpected(Encoding.UTF8.GetString(market.Key))), cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task PublishAllStaleAsync(IEnumerable<TrackedMarket> books, CancellationToken cancellationToken)
    {
        EnvelopeLostException? lost = null;
        foreach (var market in books)
        {
            market.State = BookState.Stale;
            try
            {
                await PublishStaleAsync(market, cancellationToken);
            }
            catch (EnvelopeLostException exception)
            {
                lost = exception;
            }
        }

        if (lost != null) throw lost;
    }

    private async ValueTask<string?> PublishStaleAsync(TrackedMarket market, CancellationToken cancellationToken)
    {
        var value = stage.StaleSnapshot(market);
        metrics.MarkedStale();
        await sink.ProduceAsync(market.Key, value, time.GetTimestamp(), cancellationToken);
        return Encoding.UTF8.GetString(market.Key);
    }

    private async ValueTask<string?> ProduceAsync(byte[] key, byte[] value, long receivedAt, CancellationToken cancellationToken)
    {
        await sink.ProduceAsync(key, value, receivedAt, cancellationToken);
        latencies.Record(Stage.Produced, time.GetElapsedTime(receivedAt));
        return null;
    }
}
