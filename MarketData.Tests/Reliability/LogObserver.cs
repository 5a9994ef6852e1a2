using System.Text;
using Confluent.Kafka;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Domain.Frames;

namespace MarketData.Tests.Reliability;

/// <summary>
/// Reads the log from its start and believes nothing: rebuilds every book, checks every stream's numbers, and counts what says that
/// something was lost.
/// </summary>
internal sealed class LogObserver : IDisposable
{
    public const int Partitions = 8;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private readonly IConsumer<byte[], byte[]> _consumer;
    private readonly Dictionary<string, SequencedBook> _books = [];
    private readonly HashSet<string> _tradeIds = [];
    private readonly List<string> _faults = [];
    private readonly StreamNumbers _numbers = new();
    private readonly Dictionary<int, long> _terms = [];

    /// <param name="bootstrap">A broker that has the topic.</param>
    public LogObserver(string bootstrap)
    {
        _consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = "log-observer",
            EnableAutoCommit = false,
            ReconnectBackoffMaxMs = 500,
        }).SetLogHandler((_, _) => { }).Build();
        _consumer.Assign(Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionOffset(KafkaNames.Topic, partition, Offset.Beginning)));
    }

    /// <summary>Books published as stale.</summary>
    public int StaleMarkers { get; private set; }

    /// <summary>Snapshots of the exchange.</summary>
    public Dictionary<string, int> Snapshots { get; } = [];

    /// <summary>Records by channel, but for books published as stale and the marks of leaders.</summary>
    public Dictionary<string, long> Records { get; } = [];

    /// <summary>Records of a leader that was replaced before they came into the log; they count for nobody.</summary>
    public int Fenced { get; private set; }

    /// <summary>Streams that began to count again: nobody knew their last number.</summary>
    public int StreamsBegunAgain => _numbers.BegunAgain;

    /// <summary>The last number of each stream.</summary>
    public IReadOnlyDictionary<(string Ticker, StreamKind Stream), StreamPosition> Positions => _numbers.Last;

    /// <summary>
    /// What no log may hold, since the last call: a book that does not follow, a trade for the second time, a hole in a stream's numbers.
    /// </summary>
    public IReadOnlyList<string> TakeFaults()
    {
        string[] faults = [.. _faults, .. _numbers.TakeHoles()];
        _faults.Clear();
        return faults;
    }

    /// <summary>Reads on as far as the log goes now.</summary>
    public void Drain()
    {
        while (_consumer.Consume(Poll) is { } result) Take(result.Partition, Encoding.UTF8.GetString(result.Message.Key), result.Message.Value);
    }

    public SequencedBook? BookOf(string ticker) => _books.GetValueOrDefault(ticker);

    public IReadOnlyDictionary<string, SequencedBook> Books => _books;

    public bool HasTrade(string tradeId) => _tradeIds.Contains(tradeId);

    public void Dispose()
    {
        _consumer.Close();
        _consumer.Dispose();
    }

    private void Take(int partition, string key, byte[] value)
    {
        if (!Envelope.TryParse(value, out var envelope, out var error))
        {
            _faults.Add($"{key}: {error}");
            return;
        }

        if (envelope.Term < _terms.GetValueOrDefault(partition))
        {
            Fenced++;
            return;
        }

        _terms[partition] = envelope.Term;
        if (envelope.ChannelName.Of(value).SequenceEqual(KafkaNames.FenceChannel)) return;
        string channel = Encoding.UTF8.GetString(envelope.ChannelName.Of(value));
        if (!envelope.IsStale) Records[channel] = Records.GetValueOrDefault(channel) + 1;
        if (!_numbers.Take(value, envelope)) _faults.Add($"{key}: {envelope.Position} for the second time");
        if (envelope.Channel.Stream() == StreamKind.OrderBook) TakeBook(key, value, envelope);
        else if (envelope.Channel == MarketChannel.Trade) TakeTrade(key, envelope.Payload.Of(value));
    }

    private void TakeBook(string ticker, byte[] value, in Envelope envelope)
    {
        if (envelope.IsStale) StaleMarkers++;
        else if (envelope.Channel == MarketChannel.OrderbookSnapshot) Snapshots[ticker] = Snapshots.GetValueOrDefault(ticker) + 1;
        if (!_books.TryGetValue(ticker, out var book)) _books[ticker] = book = new SequencedBook();
        var outcome = book.Apply(value, envelope);
        if (outcome != BookOutcome.Applied) _faults.Add($"{ticker}: {outcome} at {envelope.Position}: {Encoding.UTF8.GetString(value)}");
        if (book.IsStale && !envelope.IsStale) _faults.Add($"{ticker}: a change of a stale book at {envelope.Position}");
    }

    private void TakeTrade(string key, ReadOnlySpan<byte> payload)
    {
        if (!ExchangeFrame.TryParse(payload, out var frame, out var error))
        {
            _faults.Add($"{key}: {error}");
            return;
        }

        string tradeId = Encoding.UTF8.GetString(frame.TradeId.Of(payload));
        if (!_tradeIds.Add(tradeId)) _faults.Add($"trade {tradeId} for the second time");
    }
}
