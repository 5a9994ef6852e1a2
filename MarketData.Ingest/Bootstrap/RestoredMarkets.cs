using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Domain.Frames;
using MarketData.Ingest.Pipeline;

namespace MarketData.Ingest.Bootstrap;

/// <summary>What the records of a partition say about its markets: the books, the last number of each stream, and the latest trades. Not thread-safe.</summary>
public sealed class RestoredMarkets
{
    private readonly Dictionary<byte[], Market>.AlternateLookup<ReadOnlySpan<byte>> _markets =
        new Dictionary<byte[], Market>(Utf8TextComparer.Instance).GetAlternateLookup<ReadOnlySpan<byte>>();

    private readonly SeenTrades _trades = new();
    private long _term;

    /// <summary>Records that are no envelope.</summary>
    public long Unreadable { get; private set; }

    public void Apply(byte[]? value)
    {
        if (!Envelope.TryParse(value, out var envelope, out _))
        {
            Unreadable++;
            return;
        }

        // What a leader wrote after another had replaced it.
        if (envelope.Term < _term) return;
        _term = envelope.Term;
        if (envelope.Channel == MarketChannel.Other && envelope.ChannelName.Of(value).SequenceEqual(KafkaNames.FenceChannel)) return;

        var market = Of(envelope.Ticker.IsEmpty ? KafkaNames.NoMarketKey : envelope.Ticker.Of(value));
        var stream = envelope.Channel.Stream();
        ref var last = ref market.Last[(int)stream];
        if (envelope.Position > last) last = envelope.Position;
        if (stream == StreamKind.OrderBook) market.Book.Apply(value, envelope);
        else if (stream == StreamKind.Trade) NoteTrade(envelope.Payload.Of(value));
    }

    /// <summary>Hands everything over.</summary>
    public void MoveTo(TrackedMarkets markets)
    {
        foreach (var (ticker, restored) in _markets.Dictionary)
        {
            var market = markets.Of(ticker);
            foreach (var stream in Enum.GetValues<StreamKind>()) market.Restore(stream, restored.Last[(int)stream]);
            // A book that lacks a base, or a change after it, is not the one that the log's readers have.
            bool isWhole = restored.Book is { HasBase: true, IsStale: false } && restored.Book.Position == market.Last(StreamKind.OrderBook);
            if (isWhole) market.Restore(restored.Book.Book, restored.Book.MarketId);
        }

        markets.Trades.Add(_trades);
    }

    private void NoteTrade(ReadOnlySpan<byte> payload)
    {
        if (ExchangeFrame.TryParse(payload, out var frame, out _) && !frame.TradeId.IsEmpty) _trades.TryAdd(frame.TradeId.Of(payload), frame.Timestamp);
    }

    private Market Of(ReadOnlySpan<byte> ticker)
    {
        if (_markets.TryGetValue(ticker, out var market)) return market;
        return _markets[ticker] = new Market();
    }

    private sealed class Market
    {
        public SequencedBook Book { get; } = new();

        public StreamPosition[] Last { get; } = new StreamPosition[Enum.GetValues<StreamKind>().Length];
    }
}
