using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace MarketData.Benchmarks;

/// <summary>
/// What the way through Kafka costs: 1,000,000 envelope-sized messages produced as ingest produces them (idempotent, acks=all, lz4) and
/// consumed again, then the latency from produce to consume at a steady rate without linger.
/// </summary>
internal static class KafkaBenchmark
{
    private const int Messages = 1_000_000, MessageBytes = 350, Partitions = 8, Keys = 500, LatencyRate = 5000;

    private static readonly TimeSpan LatencyTime = TimeSpan.FromSeconds(10), Timeout = TimeSpan.FromSeconds(120);

    public static async Task<int> RunAsync(string? address)
    {
        await using var broker = address == null ? await LocalBroker.StartAsync() : null;
        var servers = address ?? broker!.Address;
        var topic = $"benchmark-{Guid.NewGuid():N}";
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = servers }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = Partitions, ReplicationFactor = 1 }]);
        try
        {
            var processorTime = broker?.Process.ProcessorTime;
            Produce(servers, topic);
            Consume(RelayConsumer(servers, topic), topic, "as the relay does");
            if (broker != null) Console.WriteLine($"broker   {(broker.Process.ProcessorTime - processorTime)!.Value.TotalSeconds,10:N2} s of processor time for both");
            Consume(DefaultConsumer(servers, topic), topic, "with librdkafka's defaults, fetch.queue.backoff.ms 1000");
            await MeasureLatencyAsync(servers, topic);
        }
        finally
        {
            await admin.DeleteTopicsAsync([topic]);
        }

        return 0;
    }

    private static void Produce(string servers, string topic)
    {
        var random = new Random(1);
        var value = Encoding.ASCII.GetBytes(new string([.. Enumerable.Range(0, MessageBytes).Select(_ => "{\"price\":0123456789,.}"[random.Next(22)])]));
        var keys = Enumerable.Range(0, Keys).Select(i => Encoding.ASCII.GetBytes($"KXMARKET-{i}")).ToArray();
        using var producer = new ProducerBuilder<byte[], byte[]>(ProducerConfig(servers, lingerMs: 5)).Build();
        long acknowledged = 0;
        Action<DeliveryReport<byte[], byte[]>> delivered = report => Interlocked.Add(ref acknowledged, report.Error.IsError ? 0 : 1);
        var to = new TopicPartition(topic, Partition.Any);
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < Messages; i++)
        {
            var message = new Message<byte[], byte[]> { Key = keys[i % Keys], Value = value };
            while (!TryProduce(producer, to, message, delivered)) Thread.Yield();
        }

        producer.Flush(Timeout);
        Console.WriteLine($"produced {acknowledged / watch.Elapsed.TotalSeconds,10:N0}/s  ({acknowledged:N0} of {Messages:N0} acknowledged)");
    }

    private static void Consume(ConsumerConfig config, string topic, string how)
    {
        using var consumer = Consumer(config, topic, Offset.Beginning);
        // The first message carries the connection's set-up.
        consumer.Consume(Timeout);
        int consumed = 1;
        var watch = Stopwatch.StartNew();
        while (consumed < Messages && consumer.Consume(Timeout) != null) consumed++;
        Console.WriteLine($"consumed {consumed / watch.Elapsed.TotalSeconds,10:N0}/s  ({consumed:N0}, {how})");
    }

    private static async Task MeasureLatencyAsync(string servers, string topic)
    {
        using var producer = new ProducerBuilder<Null, byte[]>(ProducerConfig(servers, lingerMs: 0)).Build();
        using var consumer = Consumer(RelayConsumer(servers, topic), topic, Offset.End);
        using var ending = new CancellationTokenSource();
        var latencies = new List<double>();
        var reading = Task.Factory.StartNew(
            () =>
            {
                while (!ending.IsCancellationRequested)
                {
                    if (consumer.Consume(100) is { Message.Value: { Length: sizeof(long) } stamp })
                        latencies.Add(Stopwatch.GetElapsedTime(BinaryPrimitives.ReadInt64LittleEndian(stamp)).TotalMilliseconds);
                }
            },
            TaskCreationOptions.LongRunning);

        // Half of the messages warm both sides up.
        var watch = Stopwatch.StartNew();
        int warm = 0;
        for (int sent = 0; watch.Elapsed < LatencyTime; await Task.Delay(1))
        {
            for (int due = (int)(watch.Elapsed.TotalSeconds * LatencyRate); sent < due; sent++)
            {
                var stamp = new byte[sizeof(long)];
                BinaryPrimitives.WriteInt64LittleEndian(stamp, Stopwatch.GetTimestamp());
                producer.Produce(new TopicPartition(topic, sent % Partitions), new Message<Null, byte[]> { Value = stamp });
            }

            if (watch.Elapsed < LatencyTime / 2) warm = sent;
        }

        producer.Flush(Timeout);
        await Task.Delay(TimeSpan.FromSeconds(1));
        await ending.CancelAsync();
        await reading;
        var measured = latencies.Skip(warm).Order().ToList();
        Console.WriteLine($"latency at {LatencyRate:N0}/s, linger 0: p50 {At(0.5):F2} ms, p99 {At(0.99):F2} ms, max {measured[^1]:F2} ms  ({measured.Count:N0})");

        double At(double quantile) => measured[(int)(quantile * (measured.Count - 1))];
    }

    /// <summary>Hands a message to the client.</summary>
    /// <returns>False when the client's queue is full.</returns>
    public static bool TryProduce<TKey>(
        IProducer<TKey, byte[]> producer, TopicPartition to, Message<TKey, byte[]> message, Action<DeliveryReport<TKey, byte[]>> delivered)
    {
        try
        {
            producer.Produce(to, message, delivered);
            return true;
        }
        catch (ProduceException<TKey, byte[]> exception) when (exception.Error.Code == ErrorCode.Local_QueueFull)
        {
            return false;
        }
    }

    private static ProducerConfig ProducerConfig(string servers, double lingerMs) => new()
    {
        BootstrapServers = servers,
        EnableIdempotence = true,
        Acks = Acks.All,
        CompressionType = CompressionType.Lz4,
        LingerMs = lingerMs,
        QueueBufferingMaxMessages = 1_000_000,
        QueueBufferingMaxKbytes = 1 << 20,
    };

    private static ConsumerConfig DefaultConsumer(string servers, string group) => new()
    {
        BootstrapServers = servers,
        GroupId = group,
        EnableAutoCommit = false,
        FetchWaitMaxMs = 100,
    };

    /// <summary>
    /// The settings of the relay's consumer. By default a full queue in the client fetches nothing for a second, and with many messages it is that
    /// pause which is measured.
    /// </summary>
    private static ConsumerConfig RelayConsumer(string servers, string group) => new(DefaultConsumer(servers, group))
    {
        EnableAutoOffsetStore = false,
        ConsumeResultFields = "none",
        QueuedMaxMessagesKbytes = 16 << 10,
        FetchQueueBackoffMs = 20,
    };

    private static IConsumer<Ignore, byte[]> Consumer(ConsumerConfig config, string topic, Offset from)
    {
        var consumer = new ConsumerBuilder<Ignore, byte[]>(config).Build();
        consumer.Assign(Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionOffset(topic, partition, from)));
        return consumer;
    }
}
