using System.Buffers;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Numbers;

namespace MarketData.Domain.Envelopes;

/// <summary>
/// Writes a book as an <c>orderbook_snapshot</c> envelope in the exchange's own form, carrying the book's position, so that a consumer
/// takes it like a snapshot of the exchange. Reuses its buffers: not thread-safe, and a result is valid until the next call.
/// </summary>
public sealed class SnapshotEnvelope
{
    private readonly ArrayBufferWriter<byte> _payload = new(4096);
    private readonly EnvelopeWriter _envelope = new();

    /// <inheritdoc cref="EnvelopeWriter.Term"/>
    public long Term
    {
        get => _envelope.Term;
        set => _envelope.Term = value;
    }

    /// <param name="ticker">The market.</param>
    /// <param name="book">A book that has a base.</param>
    /// <param name="publishedTimestamp">Unix milliseconds.</param>
    public ReadOnlyMemory<byte> Write(ReadOnlySpan<byte> ticker, SequencedBook book, long publishedTimestamp) =>
        Write(ticker, book.MarketId, book.Book, book.Sequence, book.Position, book.ReceivedTimestamp, publishedTimestamp, book.IsStale);

    /// <param name="ticker">The market.</param>
    /// <param name="marketId">The exchange's id of the market; empty when unknown.</param>
    /// <param name="book">The levels.</param>
    /// <param name="sequence">The exchange's sequence number, or null.</param>
    /// <param name="position">The number in the market's book stream.</param>
    /// <param name="receivedTimestamp">Unix milliseconds.</param>
    /// <param name="publishedTimestamp">Unix milliseconds.</param>
    /// <param name="isStale">Whether it is only the last known book.</param>
    public ReadOnlyMemory<byte> Write(
        ReadOnlySpan<byte> ticker,
        ReadOnlySpan<byte> marketId,
        OrderBook book,
        long? sequence,
        StreamPosition position,
        long receivedTimestamp,
        long publishedTimestamp,
        bool isStale)
    {
        _payload.ResetWrittenCount();
        _payload.Write("{\"type\":\"orderbook_snapshot\",\"msg\":{\"market_ticker\":\""u8);
        _payload.Write(ticker);
        _payload.Write("\",\"market_id\":\""u8);
        _payload.Write(marketId);
        _payload.Write("\""u8);
        WriteSide(",\"yes_dollars_fp\":["u8, book.Levels(Side.Yes));
        WriteSide(",\"no_dollars_fp\":["u8, book.Levels(Side.No));
        _payload.Write("}}"u8);
        return _envelope.Write(
            _payload.WrittenSpan,
            MarketChannel.OrderbookSnapshot.Utf8Name(),
            ticker,
            sequence,
            position,
            receivedTimestamp,
            publishedTimestamp,
            isStale);
    }

    // The exchange leaves the key of an empty side out.
    private void WriteSide(ReadOnlySpan<byte> open, ReadOnlySpan<Level> levels)
    {
        if (levels.IsEmpty) return;
        _payload.Write(open);
        for (int i = 0; i < levels.Length; i++)
        {
            var span = _payload.GetSpan(2 * FixedPoint.MaxFormattedLength + 16);
            int length = 0;
            if (i > 0) span[length++] = (byte)',';
            "[\""u8.CopyTo(span[length..]);
            length += 2;
            length += FixedPoint.FormatPrice(levels[i].Price, span[length..]);
            "\",\""u8.CopyTo(span[length..]);
            length += 3;
            length += FixedPoint.FormatCount(levels[i].Count, span[length..]);
            "\"]"u8.CopyTo(span[length..]);
            _payload.Advance(length + 2);
        }

        _payload.Write("]"u8);
    }
}
