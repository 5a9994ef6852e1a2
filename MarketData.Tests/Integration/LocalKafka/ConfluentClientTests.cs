using System.Collections.Concurrent;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace MarketData.Tests.Integration.LocalKafka;

/// <summary>The client that Ingest and its relay use, over the whole surface they use.</summary>
public sealed class ConfluentClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public async Task What_an_idempotent_producer_sends_comes_back_in_order(CompressionType codec)
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:3");
        await ProduceAsync(broker, "prices", 500, codec);

        var values = ConsumeAssigned(broker, "prices", 3, 500);

        Assert.Equal(500, values.Count);
        foreach (var partition in values.GroupBy(value => value.Partition))
            Assert.Equal(partition.Select(value => Number(value)).Order(), partition.Select(value => Number(value)));
        var sample = values[0];
        Assert.Equal("header value", Encoding.UTF8.GetString(sample.Message.Headers.GetLastBytes("note")));
    }

    [Fact]
    public async Task Two_members_of_a_group_share_the_partitions_and_one_takes_over_when_the_other_leaves()
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:4");
        using var first = GroupConsumer(broker, "relay");
        using var second = GroupConsumer(broker, "relay");
        first.Subscribe("prices");
        second.Subscribe("prices");
        await PollUntilAsync(() => first.Assignment.Count == 2 && second.Assignment.Count == 2, first, second);

        second.Close();

        await PollUntilAsync(() => first.Assignment.Count == 4, first);
    }

    [Fact]
    public async Task Cooperative_members_keep_what_they_have_while_others_join_leave_and_are_killed()
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:6");
        var revoked = new ConcurrentQueue<int>();
        using var first = GroupConsumer(broker, "relay", PartitionAssignmentStrategy.CooperativeSticky, partitions => partitions.ForEach(partition => revoked.Enqueue(partition.Partition.Value)));
        using var second = GroupConsumer(broker, "relay", PartitionAssignmentStrategy.CooperativeSticky);
        first.Subscribe("prices");
        await PollUntilAsync(() => first.Assignment.Count == 6, first);
        second.Subscribe("prices");
        await PollUntilAsync(() => IsShared(first, second), first, second);
        var (takenAway, given) = (revoked.Order().ToArray(), second.Assignment.Select(partition => partition.Partition.Value).Order().ToArray());

        // The third is another process, so that it can be killed.
        await using (var third = ClientProgram.CooperativeMember(broker, "relay", "prices"))
        {
            await PollUntilAsync(() => first.Assignment.Count == 2 && second.Assignment.Count == 2 && third.HasSaid("incremental assignment of 2 partition(s)"), first, second);
            await third.KillAsync();
        }
        await PollUntilAsync(() => IsShared(first, second), first, second);

        second.Close();
        await PollUntilAsync(() => first.Assignment.Count == 6, first);
        first.Close();
        // Of the first member's six partitions only the three that the second got were taken away.
        Assert.Equal(given, takenAway);
    }

    [Fact]
    public async Task Offsets_are_found_by_time()
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:1");
        using (var producer = Producer(broker, CompressionType.Lz4))
            foreach (var at in (long[])[1_700_000_000_000, 1_700_000_000_010, 1_700_000_000_005, 1_700_000_000_020])
                await producer.ProduceAsync("prices", new Message<string, string> { Value = "tick", Timestamp = new Timestamp(at, TimestampType.CreateTime) }, Cancellation);
        using var consumer = AssignedConsumer(broker);
        var partition = new TopicPartition("prices", 0);

        long Offset(long at) => consumer.OffsetsForTimes([new TopicPartitionTimestamp(partition, new Timestamp(at, TimestampType.CreateTime))], Patience)[0].Offset.Value;

        Assert.Equal(0, Offset(1_700_000_000_000));
        Assert.Equal(1, Offset(1_700_000_000_001));
        Assert.Equal(3, Offset(1_700_000_000_011));
        Assert.Equal(Confluent.Kafka.Offset.End.Value, Offset(1_700_000_000_021));
    }

    [Fact]
    public async Task A_producer_and_a_group_go_on_after_a_kill_in_the_middle_without_loss_or_repeat()
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:2");
        using var producer = Producer(broker, CompressionType.Lz4);
        var reports = new List<Task<DeliveryResult<string, string>>>();
        for (var i = 0; i < 300; i++)
        {
            reports.Add(producer.ProduceAsync("prices", new Message<string, string> { Key = $"{i % 7}", Value = $"{i}" }, Cancellation));
            if (i != 150) continue;
            await Task.WhenAll(reports[..100]).WaitAsync(Patience, Cancellation);
            await broker.KillAsync();
            await broker.StartAgainAsync();
        }
        await Task.WhenAll(reports).WaitAsync(Patience, Cancellation);

        var values = ConsumeAssigned(broker, "prices", 2, 300);

        Assert.Equal(Enumerable.Range(0, 300), values.Select(Number).Order());
    }

    [Fact]
    public async Task Committed_offsets_outlive_a_restart()
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:1");
        await ProduceAsync(broker, "prices", 10, CompressionType.Lz4);
        using (var consumer = AssignedConsumer(broker))
            consumer.Commit([new TopicPartitionOffset("prices", 0, 7)]);

        Assert.Equal(0, await broker.StopAsync());
        await broker.StartAgainAsync();

        using var again = AssignedConsumer(broker);
        var committed = again.Committed([new TopicPartition("prices", 0)], Patience);
        Assert.Equal(7, Assert.Single(committed).Offset.Value);
    }

    [Fact]
    public async Task Topics_and_groups_are_administered()
    {
        await using var broker = await BrokerProcess.StartAsync();
        using var admin = Admin(broker);
        await admin.CreateTopicsAsync([new TopicSpecification { Name = "books", NumPartitions = 2, ReplicationFactor = 1, Configs = new() { ["retention.ms"] = "14400000" } }]);
        Assert.Equal(2, admin.GetMetadata("books", Patience).Topics[0].Partitions.Count);

        var exists = await Assert.ThrowsAsync<CreateTopicsException>(() => admin.CreateTopicsAsync([new TopicSpecification { Name = "books", NumPartitions = 1 }]));
        Assert.Equal(ErrorCode.TopicAlreadyExists, exists.Results[0].Error.Code);
        var compacted = await Assert.ThrowsAsync<CreateTopicsException>(
            () => admin.CreateTopicsAsync([new TopicSpecification { Name = "compacted", NumPartitions = 1, Configs = new() { ["cleanup.policy"] = "compact" } }]));
        Assert.Equal(ErrorCode.InvalidConfig, compacted.Results[0].Error.Code);

        await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = "books", IncreaseTo = 5 }]);
        Assert.Equal(5, admin.GetMetadata("books", Patience).Topics[0].Partitions.Count);

        var resource = new ConfigResource { Type = ResourceType.Topic, Name = "books" };
        await admin.IncrementalAlterConfigsAsync(new() { [resource] = [new ConfigEntry { Name = "segment.bytes", Value = "1000000", IncrementalOperation = AlterConfigOpType.Set }] });
        var described = (await admin.DescribeConfigsAsync([resource]))[0].Entries;
        Assert.Equal("14400000", described["retention.ms"].Value);
        Assert.Equal("1000000", described["segment.bytes"].Value);

        await ProduceAsync(broker, "books", 20, CompressionType.None);
        var deleted = await admin.DeleteRecordsAsync([new TopicPartitionOffset("books", 0, Confluent.Kafka.Offset.End)]);
        using (var consumer = AssignedConsumer(broker))
        {
            var watermarks = consumer.QueryWatermarkOffsets(new TopicPartition("books", 0), Patience);
            Assert.Equal(watermarks.High, watermarks.Low);
            Assert.Equal(deleted[0].Offset, watermarks.Low);
            consumer.Commit([new TopicPartitionOffset("books", 1, 1)]);
        }
        Assert.Contains(admin.ListGroups(Patience), group => group.Group == "assigned");
        Assert.Contains((await admin.ListConsumerGroupsAsync()).Valid, group => group.GroupId == "assigned");
        await admin.DeleteGroupsAsync(["assigned"]);
        Assert.DoesNotContain((await admin.ListConsumerGroupsAsync()).Valid, group => group.GroupId == "assigned");

        // Calls that libraries of this family have not survived when the broker did not offer them.
        var unknown = await Assert.ThrowsAsync<DeleteGroupsException>(() => admin.DeleteGroupsAsync(["assigned", "no-such-group"]));
        Assert.All(unknown.Results, result => Assert.Equal(ErrorCode.GroupIdNotFound, result.Error.Code));
        Assert.Equal("Dead", $"{(await admin.DescribeConsumerGroupsAsync(["assigned"])).ConsumerGroupDescriptions.Single().State}");
        await admin.AlterConfigsAsync(new() { [resource] = [new ConfigEntry { Name = "retention.ms", Value = "1000" }] });
        Assert.Equal("1000", (await admin.DescribeConfigsAsync([resource]))[0].Entries["retention.ms"].Value);
        Assert.Single((await admin.DescribeClusterAsync()).Nodes);
        Assert.Equal(5, (await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames(["books"]))).TopicDescriptions.Single().Partitions.Count);

        await admin.DeleteTopicsAsync(["books"]);
        Assert.DoesNotContain(admin.GetMetadata(Patience).Topics, topic => topic.Topic == "books");
    }

    private static int Number(ConsumeResult<string, string> result) => int.Parse(result.Message.Value, System.Globalization.CultureInfo.InvariantCulture);

    private static IAdminClient Admin(BrokerProcess broker) => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).Build();

    private static IProducer<string, string> Producer(BrokerProcess broker, CompressionType codec) => new ProducerBuilder<string, string>(new ProducerConfig
    {
        BootstrapServers = broker.Bootstrap,
        EnableIdempotence = true,
        Acks = Acks.All,
        CompressionType = codec,
        LingerMs = 5,
        ReconnectBackoffMaxMs = 200,
        RetryBackoffMs = 20,
    }).Build();

    private static async Task ProduceAsync(BrokerProcess broker, string topic, int count, CompressionType codec)
    {
        using var producer = Producer(broker, codec);
        var headers = new Headers { { "note", "header value"u8.ToArray() } };
        var reports = Enumerable.Range(0, count).Select(i => producer.ProduceAsync(topic, new Message<string, string> { Key = $"{i % 7}", Value = $"{i}", Headers = headers }));
        await Task.WhenAll(reports).WaitAsync(Patience, Cancellation);
    }

    private static IConsumer<string, string> AssignedConsumer(BrokerProcess broker) => new ConsumerBuilder<string, string>(new ConsumerConfig
    {
        BootstrapServers = broker.Bootstrap,
        GroupId = "assigned",
        AutoOffsetReset = AutoOffsetReset.Earliest,
        EnableAutoCommit = false,
        FetchWaitMaxMs = 50,
    }).Build();

    private static IConsumer<string, string> GroupConsumer(
        BrokerProcess broker, string group, PartitionAssignmentStrategy? strategy = null, Action<List<TopicPartitionOffset>>? onRevoked = null) => new ConsumerBuilder<string, string>(new ConsumerConfig
        {
            BootstrapServers = broker.Bootstrap,
            GroupId = group,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            SessionTimeoutMs = 6000,
            HeartbeatIntervalMs = 100,
            FetchWaitMaxMs = 50,
            PartitionAssignmentStrategy = strategy,
        }).SetPartitionsRevokedHandler((_, partitions) => onRevoked?.Invoke(partitions)).Build();

    private static bool IsShared(IConsumer<string, string> first, IConsumer<string, string> second) =>
        first.Assignment.Count == 3 && second.Assignment.Count == 3 && !first.Assignment.Intersect(second.Assignment).Any();

    private static List<ConsumeResult<string, string>> ConsumeAssigned(BrokerProcess broker, string topic, int partitions, int count)
    {
        using var consumer = AssignedConsumer(broker);
        consumer.Assign(Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffset(topic, partition, Confluent.Kafka.Offset.Beginning)));
        var results = new List<ConsumeResult<string, string>>();
        while (results.Count < count && consumer.Consume(Patience) is { } result) results.Add(result);
        if (consumer.Consume(TimeSpan.FromMilliseconds(200)) is { } extra) results.Add(extra);
        return results;
    }

    private static async Task PollUntilAsync(Func<bool> condition, params IConsumer<string, string>[] consumers)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (!condition())
        {
            foreach (var consumer in consumers) consumer.Consume(20);
            await Task.Yield();
            deadline.Token.ThrowIfCancellationRequested();
        }
    }
}
