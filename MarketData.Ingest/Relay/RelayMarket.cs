using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

namespace MarketData.Ingest.Relay;

/// <summary>What the relay holds of one market: its book, and the names that it is published under.</summary>
public sealed class RelayMarket
{
    private readonly string _ticker;
    private readonly byte[]?[] _channels = new byte[Enum.GetValues<MarketChannel>().Length][];

    /// <param name="ticker">The market, or <c>all-markets</c> for frames without one.</param>
    /// <param name="partition">The Kafka partition that carries it.</param>
    public RelayMarket(ReadOnlySpan<byte> ticker, int partition)
    {
        Ticker = ticker.ToArray();
        Partition = partition;
        _ticker = Encoding.UTF8.GetString(ticker);
        SnapshotKey = Encoding.UTF8.GetBytes(RedisNames.SnapshotKey(_ticker));
        LastTickerKey = Encoding.UTF8.GetBytes(RedisNames.LastTickerKey(_ticker));
    }

    public byte[] Ticker { get; }

    public int Partition { get; }

    public byte[] SnapshotKey { get; }

    public byte[] LastTickerKey { get; }

    public SequencedBook Book { get; } = new();

    /// <summary>The last ticker envelope; null before the first.</summary>
    public byte[]? LastTicker { get; set; }

    /// <summary>Whether the book or the last ticker has changed since the keys were written.</summary>
    public bool IsDirty { get; set; }

    /// <summary>Timestamp of the last write of the keys; 0 before the first.</summary>
    public long WrittenAt { get; set; }

    /// <summary>The Redis channel of an envelope of this market, as UTF-8.</summary>
    public byte[] ChannelOf(ReadOnlySpan<byte> bytes, in Envelope envelope) => envelope.Channel == MarketChannel.Other
        ? ChannelNamed(envelope.ChannelName.Of(bytes))
        : _channels[(int)envelope.Channel] ??= ChannelNamed(envelope.Channel.Utf8Name());

    private byte[] ChannelNamed(ReadOnlySpan<byte> channel) => Encoding.UTF8.GetBytes(RedisNames.Channel(_ticker, Encoding.UTF8.GetString(channel)));
}
