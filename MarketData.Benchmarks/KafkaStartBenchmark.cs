using Confluent.Kafka;

namespace MarketData.Benchmarks;

/// <summary>How soon LocalKafka can be used on a log of 2 GB, after a kill that left everything to be checked and after a clean stop, and what it then takes of memory.</summary>
internal static class KafkaStartBenchmark
{
    private const int Messages = 20_000, MessageBytes = 100_000, Partitions = 8;
    private const string Topic = "benchmark";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(120), Idle = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync()
    {
        // No checkpoint while the log is filled, so that after the kill all of it has to be scanned.
        await using var broker = await LocalBroker.StartAsync("--topic", $"{Topic}:{Partitions}", "--log.checkpoint.interval.ms", $"{int.MaxValue}");
        Console.WriteLine($"resident, idle, empty          {broker.Process.ResidentBytes / 1e6,6:N0} MB");
        Fill(broker.Address);
        Console.WriteLine($"resident, after {(long)Messages * MessageBytes / 1e9:N1} GB produced {broker.Process.ResidentBytes / 1e6,6:N0} MB");

        await broker.Process.KillAsync();
        Console.WriteLine($"start after a kill             {(await broker.StartAgainAsync()).TotalSeconds,6:N2} s");
        await broker.Process.StopAsync();
        Console.WriteLine($"start after a clean stop       {(await broker.StartAgainAsync()).TotalSeconds,6:N2} s");
        await Task.Delay(Idle);
        Console.WriteLine($"resident, idle                 {broker.Process.ResidentBytes / 1e6,6:N0} MB");
        return 0;
    }

    private static void Fill(string servers)
    {
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig
        {
            BootstrapServers = servers,
            EnableIdempotence = true,
            Acks = Acks.All,
            QueueBufferingMaxKbytes = 64 << 10,
        }).Build();
        var value = new byte[MessageBytes];
        new Random(1).NextBytes(value);
        var acknowledged = 0;
        for (int i = 0; i < Messages; i++)
        {
            var message = new Message<Null, byte[]> { Value = value };
            while (!KafkaBenchmark.TryProduce(producer, new TopicPartition(Topic, i % Partitions), message, report => Interlocked.Add(ref acknowledged, report.Error.IsError ? 0 : 1)))
                Thread.Yield();
        }

        producer.Flush(Timeout);
        if (acknowledged < Messages) throw new InvalidOperationException($"Only {acknowledged} of {Messages} messages were acknowledged.");
    }
}
