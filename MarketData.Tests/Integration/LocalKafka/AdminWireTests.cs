using MarketData.LocalKafka.Protocol;

namespace MarketData.Tests.Integration.LocalKafka;

/// <summary>Topics, settings and groups as tools administer them, and where clients are sent, as Apache Kafka 2.3 answers.</summary>
public sealed class AdminWireTests(AdminWireTests.Broker shared) : IClassFixture<AdminWireTests.Broker>
{
    private const sbyte TopicResource = 2, BrokerResource = 4;

    private static int _topics;

    private readonly string _topic = $"admin-{Interlocked.Increment(ref _topics)}";

    /// <summary>One broker for all tests of the class; each has a topic of its own.</summary>
    public sealed class Broker : IAsyncLifetime
    {
        internal BrokerProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Process = await BrokerProcess.StartAsync();

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }

    [Fact]
    public async Task Topics_that_cannot_be_are_refused_with_the_first_error_that_Kafka_finds()
    {
        using var client = await ConnectWithTopicAsync();
        var isNew = _topic + ".new";
        foreach (var (expected, name, partitions, replicas, setting) in ((ErrorCode, string, int, short, (string, string)?)[])
                 [
                     (ErrorCode.TopicAlreadyExists, _topic, 1, 1, null),
                     (ErrorCode.InvalidTopic, "a/b", 1, 1, null),
                     (ErrorCode.InvalidTopic, "..", 1, 1, null),
                     (ErrorCode.InvalidTopic, new string('x', 250), 1, 1, null),
                     (ErrorCode.InvalidTopic, new string('x', 32_767), 1, 1, null),
                     (ErrorCode.InvalidPartitions, isNew, 0, 1, null),
                     (ErrorCode.InvalidPartitions, isNew, -1, 1, null), // before version 4
                     (ErrorCode.InvalidReplicationFactor, isNew, 1, 0, null),
                     (ErrorCode.InvalidReplicationFactor, isNew, 1, 2, null),
                     (ErrorCode.InvalidConfig, isNew, 1, 1, ("retention.ms", "soon")),
                     (ErrorCode.InvalidConfig, isNew, 1, 1, ("no.such.setting", "1")),
                     (ErrorCode.InvalidConfig, isNew, 1, 1, ("cleanup.policy", "compact")),
                     // Settings before partitions, partitions before names.
                     (ErrorCode.InvalidConfig, _topic, 0, 1, ("retention.ms", "soon")),
                     (ErrorCode.InvalidPartitions, "a/b", 0, 1, null),
                 ])
            Assert.Equal([(name, expected)], await CreateAsync(client, (name, partitions, replicas, setting)));

        Assert.Equal([(isNew, ErrorCode.None)], await CreateAsync(client, (isNew, 1, 1, ("retention.ms", "-1"))));
        var colliding = isNew.Replace('.', '_');
        Assert.Equal([(colliding, ErrorCode.InvalidTopic)], await CreateAsync(client, (colliding, 1, 1, null)));
        Assert.Equal([("twice", ErrorCode.InvalidRequest), ("twice", ErrorCode.InvalidRequest)], await CreateAsync(client, ("twice", 1, 1, null), ("twice", 1, 1, null)));
    }

    [Fact]
    public async Task A_change_that_nobody_waits_for_is_made_and_answered_with_a_timeout()
    {
        using var client = await WireClient.ConnectAsync(shared.Process);
        Assert.Equal([(_topic, ErrorCode.RequestTimedOut)], await CreateAsync(client, 0, (_topic, 1, 1, null)));
        Assert.Equal([(_topic, ErrorCode.RequestTimedOut)], await GrowAsync(client, 0, (_topic, 2)));
        Assert.Equal((ErrorCode.None, 2), await DescribeAsync(client, 1, _topic));
        Assert.Equal([(_topic, ErrorCode.RequestTimedOut)], await DeleteAsync(client, 0, _topic));
        Assert.Equal([(_topic, ErrorCode.UnknownTopicOrPartition)], await DeleteAsync(client, 0, _topic));
    }

    [Fact]
    public async Task Partitions_are_added_and_never_taken_away()
    {
        using var client = await ConnectWithTopicAsync();
        Assert.Equal(
            [(_topic, ErrorCode.InvalidPartitions), ("no-such-topic", ErrorCode.UnknownTopicOrPartition)], await GrowAsync(client, 1000, (_topic, 1), ("no-such-topic", 2)));
        Assert.Equal([(_topic, ErrorCode.InvalidPartitions)], await GrowAsync(client, 1000, (_topic, 0)));
        Assert.Equal([(_topic, ErrorCode.InvalidRequest)], await GrowAsync(client, 1000, (_topic, 2), (_topic, 3)));
        Assert.Equal([(_topic, ErrorCode.None)], await GrowAsync(client, 1000, (_topic, 3)));
        Assert.Equal((ErrorCode.None, 3), await DescribeAsync(client, 1, _topic));
    }

    [Fact]
    public async Task Deleted_topics_are_unknown_until_they_are_made_again_and_then_empty()
    {
        using var client = await ConnectWithTopicAsync();
        await client.ProduceAsync(_topic, 0, new BatchBuilder().AddMany(3).Build());
        Assert.Equal([(_topic, ErrorCode.None), ("no-such-topic", ErrorCode.UnknownTopicOrPartition), (_topic, ErrorCode.None)], await DeleteAsync(client, 1000, _topic, "no-such-topic", _topic));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.ListOffsetAsync(_topic, 0, -1)).Error);

        await client.CreateTopicAsync(_topic, 1);
        Assert.Equal((ErrorCode.None, -1, 0), await client.ListOffsetAsync(_topic, 0, -1));
    }

    [Fact]
    public async Task Metadata_makes_topics_only_when_the_client_allows_it()
    {
        using var client = await WireClient.ConnectAsync(shared.Process);
        Assert.Equal((ErrorCode.UnknownTopicOrPartition, 0), await DescribeAsync(client, 4, _topic));
        Assert.Equal((ErrorCode.UnknownTopicOrPartition, 0), await DescribeAsync(client, 4, "a/b"));
        Assert.Equal((ErrorCode.InvalidTopic, 0), await DescribeAsync(client, 4, "a/b", allowCreate: true));
        Assert.Equal((ErrorCode.None, 1), await DescribeAsync(client, 4, _topic + ".x", allowCreate: true));
        Assert.Equal((ErrorCode.InvalidTopic, 0), await DescribeAsync(client, 4, _topic + "_x", allowCreate: true));
        Assert.Equal((ErrorCode.None, 1), await DescribeAsync(client, 0, _topic));
    }

    [Fact]
    public async Task Metadata_of_no_topics_names_the_broker_alone()
    {
        using var client = await ConnectWithTopicAsync();
        var answer = await client.AskAsync(ApiKey.Metadata, 1, body => body.WriteInt32(0));
        var reader = new WireReader(answer);
        Assert.Equal((1, 1, "127.0.0.1", shared.Process.Port), (reader.ReadInt32(), reader.ReadInt32(), reader.ReadString(), reader.ReadInt32()));
        Assert.Null(reader.ReadNullableString()); // rack
        Assert.Equal((1, 0, 0), (reader.ReadInt32(), reader.ReadInt32(), reader.Remaining));

        // The same request means every topic in version 0, as null does later.
        foreach (var (version, count) in ((short, int)[])[(0, 0), (1, -1)])
            Assert.Contains(_topic, System.Text.Encoding.ASCII.GetString(await client.AskAsync(ApiKey.Metadata, version, body => body.WriteInt32(count))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Groups_are_sent_to_this_node_and_transactions_nowhere()
    {
        using var client = await WireClient.ConnectAsync(shared.Process);
        async Task<(ErrorCode Error, string? Message, int Node, string Host, int Port)> Find(sbyte kind)
        {
            var answer = await client.AskAsync(ApiKey.FindCoordinator, 2, body =>
            {
                body.WriteString("relay");
                body.WriteInt8(kind);
            });
            var reader = new WireReader(answer);
            reader.ReadInt32();
            return ((ErrorCode)reader.ReadInt16(), reader.ReadNullableString(), reader.ReadInt32(), reader.ReadString(), reader.ReadInt32());
        }

        Assert.Equal((ErrorCode.None, "NONE", 1, "127.0.0.1", shared.Process.Port), await Find(0));
        var ofTransactions = await Find(1);
        Assert.Equal((ErrorCode.TransactionalIdAuthorizationFailed, -1, "", -1), (ofTransactions.Error, ofTransactions.Node, ofTransactions.Host, ofTransactions.Port));
        Assert.Contains("no transactions", ofTransactions.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.UnknownServerError, (await Find(7)).Error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Settings_are_changed_or_refused_with_the_reason(bool isIncremental)
    {
        using var client = await ConnectWithTopicAsync();
        Task<ErrorCode> Alter(sbyte type, string name, string setting, string value) => AlterAsync(client, isIncremental, type, name, setting, value);

        Assert.Equal(ErrorCode.None, await Alter(TopicResource, _topic, "retention.ms", "1000"));
        Assert.Equal(ErrorCode.InvalidRequest, await Alter(TopicResource, _topic, "retention.ms", "soon"));
        Assert.Equal(ErrorCode.InvalidConfig, await Alter(TopicResource, _topic, "no.such.setting", "1"));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await Alter(TopicResource, "no-such-topic", "retention.ms", "1"));
        Assert.Equal(ErrorCode.InvalidRequest, await Alter(BrokerResource, "1", "retention.ms", "1"));
        Assert.Equal((ErrorCode.None, "retention.ms=1000"), await SettingsAsync(client, TopicResource, _topic, "retention.ms", "no.such.setting"));
    }

    [Fact]
    public async Task Settings_are_told_of_what_exists()
    {
        using var client = await ConnectWithTopicAsync();
        var (error, all) = await SettingsAsync(client, TopicResource, _topic);
        Assert.Equal(ErrorCode.None, error);
        Assert.Contains("cleanup.policy=delete", all, StringComparison.Ordinal);
        Assert.Equal((ErrorCode.UnknownTopicOrPartition, ""), await SettingsAsync(client, TopicResource, "no-such-topic"));
        Assert.Equal((ErrorCode.InvalidTopic, ""), await SettingsAsync(client, TopicResource, "a/b"));
        Assert.Equal((ErrorCode.None, "broker.id=1"), await SettingsAsync(client, BrokerResource, "1", "broker.id"));
        Assert.Equal((ErrorCode.None, ""), await SettingsAsync(client, BrokerResource, ""));
        Assert.Equal((ErrorCode.InvalidRequest, ""), await SettingsAsync(client, BrokerResource, "2"));
        Assert.Equal((ErrorCode.InvalidRequest, ""), await SettingsAsync(client, 9, "1"));
    }

    [Fact]
    public async Task Records_are_deleted_up_to_an_offset_and_no_further_than_the_end()
    {
        using var client = await ConnectWithTopicAsync();
        await client.ProduceAsync(_topic, 0, new BatchBuilder().AddMany(10).Build());

        async Task<(ErrorCode Error, long LowWatermark)> Delete(int partition, long offset)
        {
            var answer = await client.AskAsync(ApiKey.DeleteRecords, 1, body =>
            {
                WireClient.WriteOnePartition(body, _topic, partition);
                body.WriteInt64(offset);
                body.WriteInt32(1000);
            });
            var reader = new WireReader(answer);
            reader.ReadInt32();
            WireClient.ReadOnePartition(ref reader);
            var lowWatermark = reader.ReadInt64();
            return ((ErrorCode)reader.ReadInt16(), lowWatermark);
        }

        Assert.Equal((ErrorCode.OffsetOutOfRange, -1), await Delete(0, 11));
        Assert.Equal((ErrorCode.OffsetOutOfRange, -1), await Delete(0, -2));
        Assert.Equal((ErrorCode.UnknownTopicOrPartition, -1), await Delete(5, 0));
        Assert.Equal((ErrorCode.None, 4), await Delete(0, 4));
        Assert.Equal((ErrorCode.None, 4), await Delete(0, 2));
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await client.FetchAsync(_topic, 0, 3)).Error);
        Assert.Equal(4, (await client.FetchAsync(_topic, 0, 4)).LogStartOffset);
        Assert.Equal((ErrorCode.None, 1_700_000_000_004, 4), await client.ListOffsetAsync(_topic, 0, 1_700_000_000_000));
        Assert.Equal((ErrorCode.None, 10), await Delete(0, -1));
        Assert.Equal((ErrorCode.None, -1, 10), await client.ListOffsetAsync(_topic, 0, -2));
    }

    [Fact]
    public async Task Groups_without_members_are_deleted_and_others_are_not()
    {
        using var client = await ConnectWithTopicAsync();
        var group = $"group-of-{_topic}";
        await client.AskAsync(ApiKey.OffsetCommit, 2, body =>
        {
            body.WriteString(group);
            body.WriteInt32(-1);
            body.WriteString("");
            body.WriteInt64(-1);
            WireClient.WriteOnePartition(body, _topic, 0);
            body.WriteInt64(3);
            body.WriteNullableString(null);
        });
        Assert.Equal("Empty", await GroupStateAsync(client, group));
        await client.AskAsync(ApiKey.JoinGroup, 0, body => // one that is never synchronised
        {
            body.WriteString(group + "-busy");
            body.WriteInt32(60_000);
            body.WriteString("");
            body.WriteString("consumer");
            body.WriteInt32(1);
            body.WriteString("range");
            body.WriteBytes([]);
        });
        Assert.Equal("CompletingRebalance", await GroupStateAsync(client, group + "-busy"));

        Assert.Equal(
            [(group, ErrorCode.None), (group + "-busy", ErrorCode.NonEmptyGroup), ("no-such-group", ErrorCode.GroupIdNotFound)],
            await AskByNameAsync(client, ApiKey.DeleteGroups, 1, null, group, group, group + "-busy", "no-such-group"));
        Assert.Equal("Dead", await GroupStateAsync(client, group));
    }

    private async Task<WireClient> ConnectWithTopicAsync()
    {
        var client = await WireClient.ConnectAsync(shared.Process);
        await client.CreateTopicAsync(_topic, 1);
        return client;
    }

    private static Task<List<(string, ErrorCode)>> CreateAsync(WireClient client, params (string Name, int Partitions, short Replicas, (string Name, string Value)? Setting)[] topics) =>
        CreateAsync(client, 1000, topics);

    private static async Task<List<(string, ErrorCode)>> CreateAsync(
        WireClient client, int timeoutMs, params (string Name, int Partitions, short Replicas, (string Name, string Value)? Setting)[] topics)
    {
        var answer = await client.AskAsync(ApiKey.CreateTopics, 3, body =>
        {
            body.WriteInt32(topics.Length);
            foreach (var (name, partitions, replicas, setting) in topics)
            {
                body.WriteString(name);
                body.WriteInt32(partitions);
                body.WriteInt16(replicas);
                body.WriteInt32(0);
                body.WriteInt32(setting is null ? 0 : 1);
                if (setting is not { } given) continue;
                body.WriteString(given.Name);
                body.WriteString(given.Value);
            }
            body.WriteInt32(timeoutMs);
            body.WriteBoolean(false);
        });
        return ReadNamedErrors(answer, withMessages: true);
    }

    private static async Task<List<(string, ErrorCode)>> GrowAsync(WireClient client, int timeoutMs, params (string Name, int Partitions)[] topics)
    {
        var answer = await client.AskAsync(ApiKey.CreatePartitions, 1, body =>
        {
            body.WriteInt32(topics.Length);
            foreach (var (name, partitions) in topics)
            {
                body.WriteString(name);
                body.WriteInt32(partitions);
                body.WriteInt32(-1);
            }
            body.WriteInt32(timeoutMs);
            body.WriteBoolean(false);
        });
        return ReadNamedErrors(answer, withMessages: true);
    }

    private static Task<List<(string, ErrorCode)>> DeleteAsync(WireClient client, int timeoutMs, params string[] topics) => AskByNameAsync(client, ApiKey.DeleteTopics, 3, timeoutMs, topics);

    private static async Task<List<(string, ErrorCode)>> AskByNameAsync(WireClient client, ApiKey api, short version, int? timeoutMs, params string[] names) =>
        ReadNamedErrors(
            await client.AskAsync(api, version, body =>
            {
                body.WriteInt32(names.Length);
                foreach (var name in names) body.WriteString(name);
                if (timeoutMs is { } given) body.WriteInt32(given);
            }),
            withMessages: false);

    private static List<(string, ErrorCode)> ReadNamedErrors(byte[] answer, bool withMessages)
    {
        var reader = new WireReader(answer);
        reader.ReadInt32();
        var errors = new List<(string, ErrorCode)>();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            errors.Add((reader.ReadString(), (ErrorCode)reader.ReadInt16()));
            if (withMessages) reader.ReadNullableString();
        }
        Assert.Equal((false, 0), (reader.Failed, reader.Remaining));
        return errors;
    }

    /// <summary>A topic's error and number of partitions, by Metadata.</summary>
    private static async Task<(ErrorCode Error, int Partitions)> DescribeAsync(WireClient client, short version, string topic, bool allowCreate = false)
    {
        var answer = await client.AskAsync(ApiKey.Metadata, version, body =>
        {
            body.WriteInt32(1);
            body.WriteString(topic);
            if (version >= 4) body.WriteBoolean(allowCreate);
        });
        var reader = new WireReader(answer);
        if (version >= 3) reader.ReadInt32();
        Assert.Equal((1, 1), (reader.ReadInt32(), reader.ReadInt32()));
        reader.ReadString();
        reader.ReadInt32();
        if (version >= 1) reader.ReadNullableString();
        if (version >= 2) reader.ReadNullableString();
        if (version >= 1) reader.ReadInt32();
        Assert.Equal(1, reader.ReadInt32());
        var error = (ErrorCode)reader.ReadInt16();
        Assert.Equal(topic, reader.ReadString());
        if (version >= 1) reader.ReadBoolean();
        return (error, reader.ReadInt32());
    }

    private static async Task<ErrorCode> AlterAsync(WireClient client, bool isIncremental, sbyte type, string name, string setting, string value)
    {
        var answer = await client.AskAsync(isIncremental ? ApiKey.IncrementalAlterConfigs : ApiKey.AlterConfigs, 0, body =>
        {
            body.WriteInt32(1);
            body.WriteInt8(type);
            body.WriteString(name);
            body.WriteInt32(1);
            body.WriteString(setting);
            if (isIncremental) body.WriteInt8(0); // set
            body.WriteString(value);
            body.WriteBoolean(false);
        });
        var reader = new WireReader(answer);
        reader.ReadInt32();
        Assert.Equal(1, reader.ReadInt32());
        return (ErrorCode)reader.ReadInt16();
    }

    private static async Task<(ErrorCode Error, string Settings)> SettingsAsync(WireClient client, sbyte type, string name, params string[] wanted)
    {
        var answer = await client.AskAsync(ApiKey.DescribeConfigs, 0, body =>
        {
            body.WriteInt32(1);
            body.WriteInt8(type);
            body.WriteString(name);
            body.WriteInt32(wanted.Length == 0 ? -1 : wanted.Length);
            foreach (var setting in wanted) body.WriteString(setting);
        });
        var reader = new WireReader(answer);
        reader.ReadInt32();
        Assert.Equal(1, reader.ReadInt32());
        var error = (ErrorCode)reader.ReadInt16();
        reader.ReadNullableString();
        Assert.Equal((type, name), (reader.ReadInt8(), reader.ReadString()));
        var settings = new string[reader.ReadInt32()];
        for (var i = 0; i < settings.Length; i++)
        {
            settings[i] = $"{reader.ReadString()}={reader.ReadNullableString()}";
            for (var flag = 0; flag < 3; flag++) reader.ReadBoolean(); // read-only, default, sensitive
        }
        return (error, string.Join(' ', settings));
    }

    private static async Task<string> GroupStateAsync(WireClient client, string group)
    {
        var answer = await client.AskAsync(ApiKey.DescribeGroups, 0, body =>
        {
            body.WriteInt32(1);
            body.WriteString(group);
        });
        var reader = new WireReader(answer);
        Assert.Equal((1, ErrorCode.None, group), (reader.ReadInt32(), (ErrorCode)reader.ReadInt16(), reader.ReadString()));
        return reader.ReadString();
    }
}
