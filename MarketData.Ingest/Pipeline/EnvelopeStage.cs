using System.Globalization;
using System.Text;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Domain.Frames;
using MarketData.Ingest.Upstream;

namespace MarketData.Ingest.Pipeline;

/// <summary>What became of a frame.</summary>
/// <param name="Verdict">Frames without a book are always to be published.</param>
/// <param name="Market">The frame's market.</param>
/// <param name="Value">The envelope; null unless it is to be published.</param>
public readonly record struct StagedFrame(BookVerdict Verdict, TrackedMarket Market, byte[]? Value);

/// <summary>
/// From a parsed frame to the finished envelope, without I/O: finds the market, keeps its book, judges, numbers the market's stream and
/// wraps the payload. Allocates the envelope and nothing else. Not thread-safe.
/// </summary>
public sealed class EnvelopeStage(TrackedMarkets markets, TimeProvider time)
{
    private readonly BookDeduplicator _deduplicator = new(time);
    private readonly EnvelopeWriter _writer = new();
    private readonly SnapshotEnvelope _snapshots = new();

    /// <summary>Begins a term of leading, which every envelope from here on carries.</summary>
    /// <returns>The envelope that marks its beginning.</returns>
    public byte[] BeginTerm(long term)
    {
        _writer.Term = _snapshots.Term = term;
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var payload = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"type\":\"ingest_term\",\"msg\":{{\"term\":{term}}}}}"));
        return _writer.Write(payload, KafkaNames.FenceChannel, ticker: default, sequence: null, default, now, now, source: "ingest"u8).ToArray();
    }

    /// <param name="received">A frame with public content.</param>
    /// <param name="frame">The same, parsed.</param>
    /// <param name="source">Where it came from; empty for the exchange's socket.</param>
    public StagedFrame Process(in ReceivedFrame received, in ExchangeFrame frame, ReadOnlySpan<byte> source = default)
    {
        var bytes = received.Bytes.Span;
        var ticker = frame.Ticker.Of(bytes);
        var market = markets.Of(ticker.IsEmpty ? KafkaNames.NoMarketKey : ticker);
        bool isBook = frame.Type is FrameType.OrderbookSnapshot or FrameType.OrderbookDelta;
        if (isBook) market.Connection = received.Connection;
        var verdict = isBook ? _deduplicator.Judge(market, bytes, frame) : BookVerdict.Publish;
        return new StagedFrame(verdict, market, verdict == BookVerdict.Publish ? Wrap(market, received, frame, source) : null);
    }

    /// <summary>Takes a market of a connection whose book has been crossed for too long; null when there is none.</summary>
    public TrackedMarket? TakeCrossedForLong(int connection) => _deduplicator.TakeCrossedForLong(connection);

    /// <summary>The market's last known book as an envelope that says it is stale.</summary>
    public byte[] StaleSnapshot(TrackedMarket market)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var position = market.Next(StreamKind.OrderBook, markets.Epoch);
        return _snapshots.Write(market.Key, market.MarketId, market.Book, sequence: null, position, now, now, isStale: true).ToArray();
    }

    private byte[] Wrap(TrackedMarket market, in ReceivedFrame received, in ExchangeFrame frame, ReadOnlySpan<byte> source)
    {
        var bytes = received.Bytes.Span;
        var payload = frame.Json.Of(bytes);
        var channel = frame.Type.Channel();
        return _writer.Write(
            frame.HasPrivateFields ? PrivateFields.Strip(payload) : payload,
            channel == MarketChannel.Other ? frame.TypeName.Of(bytes) : channel.Utf8Name(),
            frame.Ticker.Of(bytes),
            frame.Seq,
            market.Next(channel.Stream(), markets.Epoch),
            received.ReceivedTimestamp,
            time.GetUtcNow().ToUnixTimeMilliseconds(),
            source: source).ToArray();
    }
}
