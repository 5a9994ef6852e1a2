using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

namespace MarketData.Ingest.Pipeline;

/// <summary>Numbers each market's streams 1, 2, 3 … without holes within one epoch. Not thread-safe.</summary>
/// <param name="epoch">When the counts began, Unix milliseconds.</param>
public sealed class StreamSequencer(long epoch)
{
    private readonly Dictionary<byte[], Market>.AlternateLookup<ReadOnlySpan<byte>> _markets =
        new Dictionary<byte[], Market>(Utf8TextComparer.Instance).GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>The next number of a market's stream.</summary>
    /// <param name="ticker">The market, or the key of frames without one.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="key">The ticker as an array that lives as long as this object.</param>
    public StreamPosition Next(ReadOnlySpan<byte> ticker, StreamKind stream, out byte[] key)
    {
        if (!_markets.TryGetValue(ticker, out var market))
        {
            market = new Market(ticker.ToArray());
            _markets[ticker] = market;
        }

        key = market.Key;
        return new StreamPosition(epoch, ++market.Last[(int)stream]);
    }

    private sealed record Market(byte[] Key)
    {
        public long[] Last { get; } = new long[Enum.GetValues<StreamKind>().Length];
    }
}
