using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

namespace MarketData.Benchmarks;

/// <summary>How soon a cold ingest has read back a log of many messages, and what it takes of memory at most.</summary>
internal static class BootstrapBenchmark
{
    public const int DefaultMessages = 7_200_000;
    public const int Markets = 10_000;
    private const int Partitions = 8, LevelsPerSide = 20;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    public static async Task<int> RunAsync(int messages)
    {
        await using var broker = await LocalBroker.StartAsync("--topic", $"{KafkaNames.Topic}:{Partitions}");
        var watch = Stopwatch.StartNew();
        Fill(broker.Address, messages);
        Console.WriteLine($"{messages:N0} messages over {Markets:N0} markets written in {watch.Elapsed.TotalSeconds:N1} s");

        watch.Restart();
        // The exchange is not there: reading back does not wait for it.
        await using var ingest = await IngestProcess.StartUpstreamAsync(broker, "http://127.0.0.1:1");
        var stats = await ingest.WaitAsync(stats => stats.Bootstrap!.State == "done", Timeout, "the end of the log");
        Console.WriteLine($"read back in  {watch.Elapsed.TotalSeconds,7:N1} s from the start of the process  ({stats.Bootstrap!.Records / watch.Elapsed.TotalSeconds:N0} records/s; {stats.Bootstrap.Records:N0} records, {stats.Bootstrap.Books:N0} books, {stats.Bootstrap.UnreadableRecords} unreadable)");
        Console.WriteLine($"processor time {ingest.Process.ProcessorTime.TotalSeconds,6:N1} s");
        Console.WriteLine($"peak resident {ingest.Process.PeakResidentBytes / 1e6,7:N0} MB");
        return 0;
    }

    /// <summary>A snapshot of each market, then deltas of markets at random, as ingest writes them.</summary>
    private static void Fill(string servers, int messages)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = servers,
            EnableIdempotence = true,
            Acks = Acks.All,
            CompressionType = CompressionType.Lz4,
            LingerMs = 5,
            QueueBufferingMaxMessages = 1_000_000,
            QueueBufferingMaxKbytes = 256 << 10,
            DeliveryReportFields = "none",
        }).Build();
        int acknowledged = 0;
        Action<DeliveryReport<byte[], byte[]>> delivered = report => Interlocked.Add(ref acknowledged, report.Error.IsError ? 0 : 1);
        var to = new TopicPartition(KafkaNames.Topic, Partition.Any);
        foreach (var message in Messages(messages))
        {
            while (!KafkaBenchmark.TryProduce(producer, to, message, delivered)) Thread.Yield();
        }

        producer.Flush(Timeout);
        if (acknowledged < messages) throw new InvalidOperationException($"Only {acknowledged:N0} of {messages:N0} messages were acknowledged.");
    }

    private static IEnumerable<Message<byte[], byte[]>> Messages(int count)
    {
        var random = new Random(1);
        var writer = new EnvelopeWriter();
        long epoch = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var tickers = Enumerable.Range(0, Markets).Select(i => Encoding.ASCII.GetBytes($"KXBENCHMARK-26AUG-T{i}")).ToArray();
        var last = new long[Markets];
        for (int i = 0; i < count; i++)
        {
            int market = i < Markets ? i : random.Next(Markets);
            string ticker = Encoding.ASCII.GetString(tickers[market]), marketId = new Guid(market, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).ToString();
            var (channel, payload) = i < Markets
                ? (MarketChannel.OrderbookSnapshot, Snapshot(ticker, marketId))
                : (MarketChannel.OrderbookDelta, Delta(ticker, marketId, last[market], random));
            var value = writer.Write(payload, channel.Utf8Name(), tickers[market], i + 1, new StreamPosition(epoch, ++last[market]), epoch, epoch).ToArray();
            yield return new Message<byte[], byte[]> { Key = tickers[market], Value = value };
        }
    }

    private static byte[] Snapshot(string ticker, string marketId)
    {
        var levels = string.Join(',', Enumerable.Range(1, LevelsPerSide).Select(cents => $"""["0.{cents:00}00","100000000.00"]"""));
        return Encoding.ASCII.GetBytes(
            $$$"""{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{"market_ticker":"{{{ticker}}}","market_id":"{{{marketId}}}","yes_dollars_fp":[{{{levels}}}],"no_dollars_fp":[{{{levels}}}]}}""");
    }

    // A level never runs out: every change is far below its size.
    private static byte[] Delta(string ticker, string marketId, long number, Random random) => Encoding.ASCII.GetBytes(
        $$$"""{"type":"orderbook_delta","sid":1,"seq":{{{number}}},"msg":{"market_ticker":"{{{ticker}}}","market_id":"{{{marketId}}}","price_dollars":"0.{{{random.Next(1, LevelsPerSide + 1):00}}}00","delta_fp":"{{{random.Next(-9999, 9999)}}}.00","side":"{{{(random.Next(2) == 0 ? "yes" : "no")}}}","ts":"2026-08-11T01:15:15.{{{random.Next(1_000_000):000000}}}Z","ts_ms":1786410915566}}""");
}
