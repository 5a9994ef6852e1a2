using System.Text;
using Confluent.Kafka;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>Writes envelopes of a few markets to the log, as the pipeline does, and keeps the books that they make.</summary>
internal sealed class EnvelopeFeed : IDisposable
{
    private readonly IProducer<byte[], byte[]> _producer;
    private readonly EnvelopeWriter _writer = new();
    private readonly Random _random = new(17);
    private readonly long _epoch;
    private readonly Dictionary<(string Ticker, StreamKind Stream), long> _last = [];

    public EnvelopeFeed(string bootstrap, long epoch = 1000)
    {
        _epoch = epoch;
        _producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = bootstrap,
            EnableIdempotence = true,
            Acks = Acks.All,
            MessageTimeoutMs = 0,
            ReconnectBackoffMaxMs = 500,
        }).SetLogHandler((_, _) => { }).Build();
    }

    /// <summary>Every envelope produced, by market, in order.</summary>
    public Dictionary<string, List<string>> Sent { get; } = [];

    public Dictionary<string, SequencedBook> Books { get; } = [];

    public int Count => Sent.Values.Sum(envelopes => envelopes.Count);

    public void Snapshot(string ticker) => Produce(
        ticker, MarketChannel.OrderbookSnapshot,
        $$$"""{"type":"orderbook_snapshot","msg":{"market_ticker":"{{{ticker}}}","market_id":"id","yes_dollars_fp":[["0.4000","{{{_random.Next(1, 500)}}}.00"]],"no_dollars_fp":[["0.5000","7.50"]]}}""");

    /// <summary>A change at a random price.</summary>
    public void Delta(string ticker) => Produce(
        ticker, MarketChannel.OrderbookDelta,
        $$$"""{"type":"orderbook_delta","msg":{"market_ticker":"{{{ticker}}}","price_dollars":"0.{{{_random.Next(10, 40)}}}00","delta_fp":"{{{_random.Next(1, 9)}}}.00","side":"yes"}}""");

    public void Ticker(string ticker) => Produce(
        ticker, MarketChannel.TickerV2, $$$"""{"type":"ticker","msg":{"market_ticker":"{{{ticker}}}","price_dollars":"0.{{{_random.Next(10, 99)}}}00"}}""");

    public void Trade(string ticker) => Produce(
        ticker, MarketChannel.Trade, $$$"""{"type":"trade","msg":{"market_ticker":"{{{ticker}}}","trade_id":"{{{_random.Next()}}}"}}""");

    /// <summary>A mix of everything over the markets.</summary>
    public void Busy(IReadOnlyList<string> tickers, int envelopes)
    {
        for (int i = 0; i < envelopes; i++)
        {
            string ticker = tickers[i % tickers.Count];
            switch (_random.Next(10))
            {
                case 0: Trade(ticker); break;
                case 1: Ticker(ticker); break;
                default: Delta(ticker); break;
            }
        }
    }

    /// <summary>Takes a number that no envelope gets: a hole.</summary>
    public void Skip(string ticker, StreamKind stream) => _last[(ticker, stream)]++;

    /// <summary>Puts a value into the log as it stands.</summary>
    public void Raw(string key, byte[]? value) =>
        _producer.Produce(KafkaNames.Topic, new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(key), Value = value! });

    /// <summary>Waits until Kafka has acknowledged everything.</summary>
    public void Flush() => Assert.Equal(0, _producer.Flush(TimeSpan.FromSeconds(60)));

    public void Dispose() => _producer.Dispose();

    private void Produce(string ticker, MarketChannel channel, string payload)
    {
        var stream = (ticker, channel.Stream());
        long number = _last[stream] = _last.GetValueOrDefault(stream) + 1;
        var value = _writer.Write(
            Encoding.UTF8.GetBytes(payload), channel.Utf8Name(), Encoding.UTF8.GetBytes(ticker), null, new StreamPosition(_epoch, number), 1, 2).ToArray();
        Raw(ticker, value);
        if (!Sent.TryGetValue(ticker, out var sent)) Sent[ticker] = sent = [];
        sent.Add(Encoding.UTF8.GetString(value));
        if (channel.Stream() != StreamKind.OrderBook || !Envelope.TryParse(value, out var envelope, out _)) return;
        if (!Books.TryGetValue(ticker, out var book)) Books[ticker] = book = new SequencedBook();
        Assert.NotEqual(BookOutcome.Invalid, book.Apply(value, envelope));
    }
}
