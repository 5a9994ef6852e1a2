using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

namespace MarketData.Ingest.Relay;

/// <summary>What the relay holds of one market: its book, its last ticker, and the names that it is published under.</summary>
public sealed class RelayMarket
{
    private readonly string _ticker;
    private readonly byte[]?[] _channels = new byte[Enum.GetValues<MarketChannel>().Length][];
    private StreamPosition _lastTickerPosition;

    /// <param name="ticker">The market, or <c>all-markets</c> for frames without one.</param>
    /// <param name="partition">The Kafka partition that carries it.</param>
    public RelayMarket(ReadOnlySpan<byte> ticker, int partition)
    {
        Ticker = ticker.ToArray();
        Partition = partition;
        _ticker = Encoding.UTF8.GetString(ticker);
        SnapshotKey = Encoding.UTF8.GetBytes(RedisNames.SnapshotKey(_ticker));
        TradesKey = Encoding.UTF8.GetBytes(RedisNames.TradesKey(_ticker));
        LastTickerKey = Encoding.UTF8.GetBytes(RedisNames.LastTickerKey(_ticker));
    }

    public byte[] Ticker { get; }

    public int Partition { get; }

    public byte[] SnapshotKey { get; }

    public byte[] LastTickerKey { get; }

    public byte[] TradesKey { get; }

    public SequencedBook Book { get; } = new();

    /// <summary>Whether the book's base was asked of Redis: what was not there then is not there later.</summary>
    public bool IsBaseSought { get; set; }

    /// <summary>The last ticker envelope; null before the first.</summary>
    public byte[]? LastTicker { get; private set; }

    /// <summary>When the book or the last ticker changed first since the keys were written; null when they have not.</summary>
    public long? DirtySince { get; set; }

    /// <summary>Timestamp of the last write of the keys; null before the first.</summary>
    public long? WrittenAt { get; set; }

    /// <summary>Keeps a ticker envelope unless a later one is known; false then.</summary>
    public bool TryKeepTicker(byte[] value, in Envelope envelope)
    {
        if (LastTicker != null && envelope.Position <= _lastTickerPosition) return false;
        LastTicker = value;
        _lastTickerPosition = envelope.Position;
        return true;
    }

    /// <summary>The Redis channel of an envelope of this market, as UTF-8.</summary>
    public byte[] ChannelOf(ReadOnlySpan<byte> bytes, in Envelope envelope) => envelope.Channel == MarketChannel.Other
        ? ChannelNamed(envelope.ChannelName.Of(bytes))
        : _channels[(int)envelope.Channel] ??= ChannelNamed(envelope.Channel.Utf8Name());

    private byte[] ChannelNamed(ReadOnlySpan<byte> channel) => Encoding.UTF8.GetBytes(RedisNames.Channel(_ticker, Encoding.UTF8.GetString(channel)));
}
