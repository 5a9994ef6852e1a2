using System.Diagnostics;
using System.Globalization;
using Confluent.Kafka;
using MarketData.LocalKafka.Protocol;
using KafkaError = MarketData.LocalKafka.Protocol.ErrorCode;

namespace MarketData.Tests.Integration.LocalKafka;

/// <summary>Crashes, damage, full disks, and other brokers in the same place.</summary>
public sealed class FaultTests
{
    private static readonly bool IsSoak = Environment.GetEnvironmentVariable("MARKETDATA_SOAK") == "1";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_was_acknowledged_before_a_kill_is_there_once_and_in_order()
    {
        const int partitions = 3, messagesARound = 10_000;
        var rounds = IsSoak ? 50 : 4;
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var broker = await BrokerProcess.StartAsync("--topic", $"prices:{partitions}", "--log.segment.bytes", "300000", "--log.checkpoint.interval.ms", "50");
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig
        {
            BootstrapServers = broker.Bootstrap,
            EnableIdempotence = true,
            CompressionType = CompressionType.Lz4,
            LingerMs = 0,
            BatchNumMessages = 20,
            ReconnectBackoffMs = 10,
            ReconnectBackoffMaxMs = 50,
            RetryBackoffMs = 10,
            QueueBufferingMaxMessages = 100_000,
        }).SetLogHandler((_, _) => { }).Build();
        var acknowledged = 0;
        for (var round = 0; round < rounds; round++)
        {
            var target = acknowledged + messagesARound;
            for (var i = 0; i < messagesARound; i++)
            {
                var number = round * messagesARound + i;
                producer.Produce(new TopicPartition("prices", number % partitions), new Message<Null, string> { Value = $"{number}" }, report =>
                {
                    if (!report.Error.IsError) Interlocked.Increment(ref acknowledged);
                });
            }
            await Task.Delay(random.Next(200), Cancellation);
            await broker.KillAsync();
            await broker.StartAgainAsync("--log.segment.bytes", "300000", "--log.checkpoint.interval.ms", "50");
            await Eventually.TrueAsync(() => Volatile.Read(ref acknowledged) == target, () => $"seed {seed}, round {round}: {acknowledged} of {target} acknowledged; {broker.Output}");
        }

        var expected = rounds * messagesARound;
        using var consumer = new ConsumerBuilder<Ignore, string>(new ConsumerConfig { BootstrapServers = broker.Bootstrap, GroupId = "check", EnablePartitionEof = true, CheckCrcs = true }).Build();
        consumer.Assign(Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffset("prices", partition, Offset.Beginning)));
        var next = Enumerable.Range(0, partitions).ToArray();
        for (var ended = 0; ended < partitions;)
        {
            var result = consumer.Consume(TimeSpan.FromSeconds(20));
            Assert.NotNull(result);
            if (result.IsPartitionEOF)
            {
                ended++;
                continue;
            }
            Assert.Equal(next[result.Partition.Value], int.Parse(result.Message.Value, CultureInfo.InvariantCulture));
            next[result.Partition.Value] += partitions;
        }
        Assert.All(next, number => Assert.InRange(number, expected, expected + partitions - 1));
    }

    [Fact]
    public async Task A_torn_tail_is_cut_off_and_said()
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:1");
        await ProduceBatchesAsync(broker, 5);
        await broker.KillAsync();
        using (var log = OpenLog(broker)) log.SetLength(log.Length - 7);
        await broker.StartAgainAsync();

        using var client = await WireClient.ConnectAsync(broker);
        Assert.Equal(8, (await client.ListOffsetAsync("prices", 0, -1)).Offset);
        Assert.Equal(8, (await client.ProduceAsync("prices", 0, new BatchBuilder().AddMany(2).Build())).BaseOffset);
        Assert.Contains("torn write", broker.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_byte_in_the_middle_costs_its_batch_and_no_other()
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:1");
        await ProduceBatchesAsync(broker, 5);
        await broker.KillAsync();
        var size = new BatchBuilder().AddMany(2).Build().Length;
        using (var log = OpenLog(broker))
        {
            log.Position = size + 70;
            log.WriteByte(0xff);
        }
        await broker.StartAgainAsync();

        using var client = await WireClient.ConnectAsync(broker);
        Assert.Equal(size, (await client.FetchAsync("prices", 0, 0)).Records.Length);
        // What was in the damaged batch is gone; a consumer that asks for it gets what follows.
        var rest = await client.FetchAsync("prices", 0, 2);
        Assert.Equal(3 * size, rest.Records.Length);
        Assert.True(RecordBatch.TryRead(rest.Records, out var first));
        Assert.Equal(4, first.BaseOffset);
        Assert.Contains("records 2 to 3 are damaged", broker.Output, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(broker.DataDirectory, "*.damaged", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_damaged_or_missing_index_is_made_anew(bool isMissing)
    {
        string[] options = ["--log.segment.bytes", "1000", "--log.index.interval.bytes", "0"];
        await using var broker = await BrokerProcess.StartAsync(["--topic", "prices:1", .. options]);
        await ProduceBatchesAsync(broker, 100);
        Assert.Equal(0, await broker.StopAsync());
        var indexes = Directory.GetFiles(broker.DataDirectory, "*.index", SearchOption.AllDirectories);
        Assert.InRange(indexes.Length, 5, 100);
        foreach (var index in indexes)
        {
            if (isMissing)
            {
                File.Delete(index);
                continue;
            }
            var bytes = await File.ReadAllBytesAsync(index, Cancellation);
            bytes[^5] ^= 0x40;
            await File.WriteAllBytesAsync(index, bytes, Cancellation);
        }
        await broker.StartAgainAsync(options);

        using var client = await WireClient.ConnectAsync(broker);
        for (var offset = 0; offset < 200; offset += 13)
        {
            Assert.True(RecordBatch.TryRead((await client.FetchAsync("prices", 0, offset)).Records, out var batch));
            Assert.InRange(offset, batch.BaseOffset, batch.NextOffset - 1);
        }
        Assert.Equal(1, (await client.ListOffsetAsync("prices", 0, 1_700_000_000_001)).Offset);
    }

    [Theory]
    [InlineData("os")]
    [InlineData("fsync")]
    public async Task A_full_disk_refuses_the_batch_and_leaves_the_log_as_it_was(string flush)
    {
        // A small file system of the test's own; making one needs the rights to mount.
        using var mount = new TemporaryFolder();
        if (!await RunAsync("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount.Path)) Assert.Skip("This user may not mount a small file system.");
        try
        {
            await using (var broker = await BrokerProcess.StartInAsync(Path.Combine(mount.Path, "data"), "--topic", "prices:1", "--flush", flush))
            {
                using var client = await WireClient.ConnectAsync(broker);
                var batch = new BatchBuilder().Add(1_700_000_000_000, new string('x', 200_000)).Build();
                var written = 0;
                Produced produced;
                while ((produced = await client.ProduceAsync("prices", 0, (byte[])batch.Clone())).Error == KafkaError.None) written++;

                Assert.Equal(KafkaError.KafkaStorageError, produced.Error);
                Assert.InRange(written, 1, 5);
                Assert.Equal(written, (await client.ListOffsetAsync("prices", 0, -1)).Offset);
                Assert.Equal(written * batch.Length, (await client.FetchAsync("prices", 0, 0, partitionMaxBytes: 10 << 20)).Records.Length);
                Assert.Contains("a write failed", broker.Output, StringComparison.Ordinal);
            }
        }
        finally
        {
            await RunAsync("umount", mount.Path);
        }
    }

    [Fact]
    public async Task A_read_only_directory_is_one_clear_line()
    {
        using var mount = new TemporaryFolder();
        if (!await RunAsync("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount.Path)) Assert.Skip("This user may not mount a file system.");
        try
        {
            var data = Path.Combine(mount.Path, "data");
            await using (var broker = await BrokerProcess.StartInAsync(data)) await broker.StopAsync();
            Assert.True(await RunAsync("mount", "-o", "remount,ro", mount.Path));

            var refused = await RunBrokerAsync("--data", data, "--port", "0");

            Assert.Equal((1, 1), (refused.ExitCode, refused.Lines.Length));
            Assert.Contains("Read-only file system", refused.Lines[0], StringComparison.Ordinal);
        }
        finally
        {
            await RunAsync("umount", mount.Path);
        }
    }

    [Fact]
    public async Task A_directory_in_use_a_taken_port_and_bad_arguments_are_one_clear_line_each()
    {
        await using var broker = await BrokerProcess.StartAsync();
        using var other = new TemporaryFolder();
        var inUse = await RunBrokerAsync("--data", broker.DataDirectory, "--port", "0");
        Assert.Equal((1, 1), (inUse.ExitCode, inUse.Lines.Length));
        Assert.Contains("in use by another broker", inUse.Lines[0], StringComparison.Ordinal);
        var taken = await RunBrokerAsync("--data", other.Path, "--port", $"{broker.Port}");
        Assert.Equal((1, 1), (taken.ExitCode, taken.Lines.Length));
        Assert.Contains($"Cannot listen on 127.0.0.1:{broker.Port}", taken.Lines[0], StringComparison.Ordinal);
        foreach (var (arguments, expected) in ((string[], string)[])
                 [
                     ([], "--data is missing"),
                     (["--data", other.Path, "--port", "x"], "--port is 'x'"),
                     (["--data", other.Path, "--topic", "a/b:1"], "not a legal topic name"),
                     (["--data", other.Path, "--flush", "sometimes"], "os or fsync"),
                     (["--data", other.Path, "--nonsense", "1"], "Unknown option --nonsense"),
                     (["--data", "/dev/null/x"], "cannot be used"),
                 ])
        {
            var refused = await RunBrokerAsync(arguments);
            Assert.Equal((1, 1), (refused.ExitCode, refused.Lines.Length));
            Assert.Contains(expected, refused.Lines[0], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_graceful_stop_does_not_wait_for_clients()
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:1");
        using var waiting = await WireClient.ConnectAsync(broker);
        using var idle = await WireClient.ConnectAsync(broker);
        var fetch = waiting.FetchAsync("prices", 0, 0, maxWaitMs: 300_000);
        await idle.ListOffsetAsync("prices", 0, -1);

        Assert.Equal(0, await broker.StopAsync());
        await Assert.ThrowsAsync<EndOfStreamException>(() => fetch);
    }

    [Fact]
    public async Task With_fsync_what_is_acknowledged_can_be_read_at_once_and_after_a_kill()
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:1", "--flush", "fsync");
        await ProduceBatchesAsync(broker, 20);
        await broker.KillAsync();
        await broker.StartAgainAsync("--flush", "fsync");
        using var client = await WireClient.ConnectAsync(broker);
        Assert.Equal(40, (await client.ListOffsetAsync("prices", 0, -1)).Offset);
    }

    [Fact]
    public async Task Retention_by_size_drops_whole_old_segments()
    {
        await using var broker = await BrokerProcess.StartAsync(
            "--topic", "prices:1", "--log.segment.bytes", "100000", "--log.retention.bytes", "200000", "--log.retention.ms", "-1", "--log.retention.check.interval.ms", "50");
        using var client = await WireClient.ConnectAsync(broker);
        for (var i = 0; i < 80; i++) await client.ProduceAsync("prices", 0, new BatchBuilder().Add(1_700_000_000_000 + i, new string('x', 10_000)).Build());
        await Eventually.TrueAsync(() => Directory.GetFiles(broker.DataDirectory, "*.log", SearchOption.AllDirectories).Length <= 3, () => "old segments are still there");

        var start = (await client.ListOffsetAsync("prices", 0, -2)).Offset;

        Assert.InRange(80 - start, 20, 30); // what is left holds at least 200,000 bytes, and less than one segment more
        Assert.Equal(KafkaError.OffsetOutOfRange, (await client.FetchAsync("prices", 0, start - 1)).Error);
        Assert.Equal(start, (await client.ProduceAsync("prices", 0, new BatchBuilder().AddMany(1).Build())).LogStartOffset);
    }

    [Fact]
    public async Task Retention_by_time_drops_what_is_too_old_but_never_the_next_offset()
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:1", "--log.retention.ms", "60000", "--log.retention.check.interval.ms", "50");
        await ProduceBatchesAsync(broker, 3);
        using var client = await WireClient.ConnectAsync(broker);
        await Eventually.TrueAsync(() => client.ListOffsetAsync("prices", 0, -2).GetAwaiter().GetResult().Offset == 6, () => "old records are still there");
        Assert.Equal(6, (await client.ProduceAsync("prices", 0, new BatchBuilder().Add(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), "new").Build())).BaseOffset);
    }

    private static async Task ProduceBatchesAsync(BrokerProcess broker, int count)
    {
        using var client = await WireClient.ConnectAsync(broker);
        for (var i = 0; i < count; i++) Assert.Equal(KafkaError.None, (await client.ProduceAsync("prices", 0, new BatchBuilder().AddMany(2).Build())).Error);
    }

    private static FileStream OpenLog(BrokerProcess broker) => new(Directory.GetFiles(broker.DataDirectory, "*.log", SearchOption.AllDirectories).Single(), FileMode.Open);

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        await process.WaitForExitAsync(Cancellation);
        return process.ExitCode == 0;
    }

    private static async Task<(int ExitCode, string[] Lines)> RunBrokerAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [BrokerProcess.ProgramPath, .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var said = await process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        return (process.ExitCode, said.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>A folder that goes with the test.</summary>
    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("localkafka-test-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
