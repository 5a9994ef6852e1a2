namespace MarketData.Domain.Channels;

/// <summary>Names in Kafka.</summary>
public static class KafkaNames
{
    public const string Topic = "market-data-all";

    /// <summary>The consumer group of the relay.</summary>
    public const string RelayGroup = "market-data-redis-publisher";

    /// <summary>The channel of the record that a new leader of ingest writes to every partition: what has a lower term behind it is void.</summary>
    public static ReadOnlySpan<byte> FenceChannel => "ingest_term"u8;

    /// <summary>The key of frames that belong to no market.</summary>
    public static ReadOnlySpan<byte> NoMarketKey => "all-markets"u8;
}

/// <summary>Names in Redis: pub/sub channels and the keys that make a late subscriber consistent.</summary>
public static class RedisNames
{
    /// <summary>Carries every envelope.</summary>
    public const string AllChannel = "market-data:all";

    private const string Prefix = "market-data:", SnapshotPrefix = "market-data:snapshot:", LastPrefix = "market-data:last:", TradesPrefix = "market-data:trades:";

    /// <summary>The channel of one market's frames of one kind. Frames without a market use the market <c>all-markets</c>.</summary>
    public static string Channel(string ticker, string channel) => $"{Prefix}{ticker}:{channel}";

    /// <summary>The key of the relay's current book of a market, as an <c>orderbook_snapshot</c> envelope.</summary>
    public static string SnapshotKey(string ticker) => SnapshotPrefix + ticker;

    /// <summary>Matches every <see cref="SnapshotKey"/>.</summary>
    public const string SnapshotKeyPattern = SnapshotPrefix + "*";

    /// <summary>The market of a key that <see cref="SnapshotKey"/> made.</summary>
    public static string TickerOfSnapshotKey(string key) => key[SnapshotPrefix.Length..];

    /// <summary>The key of the list of a market's last trade envelopes, the latest at its end. A trade may be in it more than once.</summary>
    public static string TradesKey(string ticker) => TradesPrefix + ticker;

    /// <summary>Most envelopes in a list of trades: twice as many as clients may ask for, because after a fault some are listed again.</summary>
    public const int MaxTrades = 200;

    /// <summary>The key of a market's last ticker envelope.</summary>
    public static string LastTickerKey(string ticker) => $"{LastPrefix}{ticker}:ticker_v2";
}
