using System.Buffers.Binary;
using MarketData.LocalKafka.Protocol;

namespace MarketData.Tests.Integration.LocalKafka;

/// <summary>Fetch, ListOffsets, and what no client should send.</summary>
public sealed class ReadWireTests(ReadWireTests.Broker shared) : IClassFixture<ReadWireTests.Broker>
{
    private const long T = 1_700_000_000_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static int _topics;

    private readonly string _topic = $"read-{Interlocked.Increment(ref _topics)}";

    /// <summary>One broker for all tests of the class; each has a topic of its own.</summary>
    public sealed class Broker : IAsyncLifetime
    {
        internal BrokerProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Process = await BrokerProcess.StartAsync();

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_first_record_in_log_order_that_is_not_older_is_found_though_times_are_out_of_order(bool isCompressed)
    {
        using var client = await ConnectWithTopicAsync();
        var codec = isCompressed ? Codec.Gzip : Codec.None;
        await client.ProduceAsync(_topic, 0, new BatchBuilder { Codec = codec }.Add(T, "0").Add(T + 10, "1").Add(T + 10, "2").Add(T + 20, "3").Build());
        await client.ProduceAsync(_topic, 0, new BatchBuilder { Codec = codec }.Add(T + 5, "4").Add(T + 50, "5").Build());
        await client.ProduceAsync(_topic, 0, new BatchBuilder { Codec = codec }.Add(T + 30, "6").Build());

        foreach (var (target, offset, at) in ((int, int, int)[])[(0, 0, 0), (1, 1, 10), (10, 1, 10), (15, 3, 20), (20, 3, 20), (21, 5, 50), (45, 5, 50)])
            Assert.Equal((ErrorCode.None, T + at, offset), await client.ListOffsetAsync(_topic, 0, T + target));
        Assert.Equal((ErrorCode.None, -1, -1), await client.ListOffsetAsync(_topic, 0, T + 51));
        Assert.Equal((ErrorCode.None, -1, 7), await client.ListOffsetAsync(_topic, 0, -1));
        Assert.Equal((ErrorCode.None, -1, 0), await client.ListOffsetAsync(_topic, 0, -2));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.ListOffsetAsync(_topic, 9, -1)).Error);
    }

    [Fact]
    public async Task A_fetch_answers_whole_batches_from_the_one_that_contains_the_offset()
    {
        using var client = await ConnectWithTopicAsync();
        var size = new BatchBuilder().AddMany(10).Build().Length;
        for (var i = 0; i < 5; i++) await client.ProduceAsync(_topic, 0, new BatchBuilder().AddMany(10).Build());

        var fromTheMiddle = await client.FetchAsync(_topic, 0, 25);
        Assert.Equal(3 * size, fromTheMiddle.Records.Length);
        Assert.Equal(20, BinaryPrimitives.ReadInt64BigEndian(fromTheMiddle.Records));
        Assert.Equal(2 * size, (await client.FetchAsync(_topic, 0, 0, partitionMaxBytes: size * 3 - 1)).Records.Length);
        Assert.Equal(size, (await client.FetchAsync(_topic, 0, 0, maxBytes: 1, partitionMaxBytes: 1)).Records.Length);
    }

    [Fact]
    public async Task Offsets_outside_the_log_and_sessions_are_refused()
    {
        using var client = await ConnectWithTopicAsync();
        await client.ProduceAsync(_topic, 0, new BatchBuilder().AddMany(3).Build());
        foreach (var offset in (long[])[4, -1])
        {
            var outside = await client.FetchAsync(_topic, 0, offset, maxWaitMs: 10_000);
            Assert.Equal((ErrorCode.OffsetOutOfRange, -1, -1, -1, 0), (outside.Error, outside.HighWatermark, outside.LastStableOffset, outside.LogStartOffset, outside.Records.Length));
        }
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, (await client.FetchAsync(_topic, 0, 0, sessionId: 77, sessionEpoch: 1)).TopError);
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, (await client.FetchAsync(_topic, 0, 0, sessionEpoch: -2)).TopError);
        Assert.Equal(ErrorCode.None, (await client.FetchAsync(_topic, 0, 0, sessionEpoch: 0)).TopError);
        // Epoch -1 gives a session up, whichever it was.
        Assert.Equal(ErrorCode.None, (await client.FetchAsync(_topic, 0, 0, sessionId: 77, sessionEpoch: -1)).TopError);
    }

    [Fact]
    public async Task What_cannot_be_waited_for_is_answered_at_once()
    {
        using var client = await ConnectWithTopicAsync();
        // Far longer than the test's patience.
        const int wait = 300_000;
        foreach (var (topic, partition) in ((string, int)[])[("no-such-topic", 0), (_topic, 7)])
        {
            var unknown = await client.FetchAsync(topic, partition, 0, maxWaitMs: wait);
            Assert.Equal((ErrorCode.UnknownTopicOrPartition, -1, -1, -1, 0), (unknown.Error, unknown.HighWatermark, unknown.LastStableOffset, unknown.LogStartOffset, unknown.Records.Length));
        }
        var atTheEnd = await client.FetchAsync(_topic, 0, 0, maxWaitMs: wait, minBytes: 0);
        Assert.Equal((ErrorCode.None, 0, 0, 0), (atTheEnd.Error, atTheEnd.HighWatermark, atTheEnd.LogStartOffset, atTheEnd.Records.Length));

        var ofNothing = await client.AskAsync(ApiKey.Fetch, 4, body =>
        {
            body.WriteInt32(-1);
            body.WriteInt32(wait);
            body.WriteInt32(1);
            body.WriteInt32(1000);
            body.WriteInt8(0);
            body.WriteInt32(0);
        });
        Assert.Equal(new byte[8], ofNothing); // throttle time, no topics
    }

    [Fact]
    public async Task A_waiting_fetch_ends_when_its_topic_is_deleted()
    {
        using var reader = await ConnectWithTopicAsync();
        using var admin = await WireClient.ConnectAsync(shared.Process);
        var waiting = reader.FetchAsync(_topic, 0, 0, maxWaitMs: 300_000);
        await admin.AskAsync(ApiKey.DeleteTopics, 3, body =>
        {
            body.WriteInt32(1);
            body.WriteString(_topic);
            body.WriteInt32(1000);
        });
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await waiting.WaitAsync(Patience, TestContext.Current.CancellationToken)).Error);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await admin.ProduceAsync(_topic, 0, new BatchBuilder().AddMany(1).Build())).Error);
    }

    [Fact]
    public async Task Only_the_first_partition_that_has_data_may_exceed_the_limits()
    {
        using var client = await ConnectWithTopicAsync(partitions: 3);
        var batch = new BatchBuilder().AddMany(10).Build();
        foreach (var partition in (int[])[1, 2]) await client.ProduceAsync(_topic, partition, (byte[])batch.Clone());
        var answer = await client.AskAsync(ApiKey.Fetch, 4, body =>
        {
            body.WriteInt32(-1);
            body.WriteInt32(0);
            body.WriteInt32(1);
            body.WriteInt32(1);
            body.WriteInt8(0);
            body.WriteInt32(1);
            body.WriteString(_topic);
            body.WriteInt32(3);
            for (var partition = 0; partition < 3; partition++)
            {
                body.WriteInt32(partition);
                body.WriteInt64(0);
                body.WriteInt32(1);
            }
        });
        Assert.Equal([0, batch.Length, 0], RecordSizes(answer));
    }

    [Fact]
    public async Task A_partition_asked_about_twice_is_refused_once()
    {
        using var client = await ConnectWithTopicAsync();
        var answer = await client.AskAsync(ApiKey.ListOffsets, 1, body =>
        {
            body.WriteInt32(-1);
            body.WriteInt32(1);
            body.WriteString(_topic);
            body.WriteInt32(2);
            for (var i = 0; i < 2; i++)
            {
                body.WriteInt32(0);
                body.WriteInt64(-1);
            }
        });
        var reader = new WireReader(answer);
        WireClient.ReadOnePartition(ref reader);
        Assert.Equal((ErrorCode.InvalidRequest, -1, -1), ((ErrorCode)reader.ReadInt16(), reader.ReadInt64(), reader.ReadInt64()));
    }

    [Fact]
    public async Task Answers_come_in_the_order_of_the_requests_also_behind_one_that_waits()
    {
        using var client = await ConnectWithTopicAsync();
        using var writer = await WireClient.ConnectAsync(shared.Process);
        var waiting = client.FetchAsync(_topic, 0, 0, maxWaitMs: 300_000);
        await client.SendAsync(ApiKey.ApiVersions, 9, _ => { });
        await client.SendAsync(ApiKey.InitProducerId, 0, body =>
        {
            body.WriteNullableString("");
            body.WriteInt32(0);
        });
        await writer.ProduceAsync(_topic, 0, new BatchBuilder().AddMany(1).Build());

        Assert.NotEmpty((await waiting).Records);
        Assert.Equal([0, 35, 0, 0, 0, 0], await client.ReadAnswerAsync());
        Assert.Equal([0, 0, 0, 0, 0, 42, .. Enumerable.Repeat((byte)255, 10)], await client.ReadAnswerAsync());
    }

    [Fact]
    public async Task A_fetch_waits_for_an_append_and_no_longer()
    {
        using var reader = await ConnectWithTopicAsync();
        using var writer = await WireClient.ConnectAsync(shared.Process);
        // The longest wait asked for is far above the test's patience, so only the append can be what ends it.
        var waiting = reader.FetchAsync(_topic, 0, 0, maxWaitMs: 600_000);
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        await writer.ProduceAsync(_topic, 0, new BatchBuilder().AddMany(1).Build());
        Assert.NotEmpty((await waiting.WaitAsync(Patience, TestContext.Current.CancellationToken)).Records);

        var nothing = reader.FetchAsync(_topic, 0, 1, maxWaitMs: 200);
        Assert.Empty((await nothing.WaitAsync(Patience, TestContext.Current.CancellationToken)).Records);
    }

    [Fact]
    public async Task A_newer_version_question_is_answered_with_error_35_in_the_oldest_form()
    {
        using var client = await WireClient.ConnectAsync(shared.Process);
        Assert.Equal([0, 35, 0, 0, 0, 0], await client.AskAsync(ApiKey.ApiVersions, 9, _ => { }));
        var versions = await client.AskAsync(ApiKey.ApiVersions, 0, _ => { });
        Assert.Equal(0, BinaryPrimitives.ReadInt16BigEndian(versions));
    }

    [Theory]
    [InlineData(99, 0)]
    [InlineData(-1, 0)]
    [InlineData(0, 2)]
    [InlineData(0, 8)]
    [InlineData(1, 12)]
    public async Task Unknown_kinds_and_versions_close_the_connection(short api, short version)
    {
        using var client = await WireClient.ConnectAsync(shared.Process);
        await client.SendAsync((ApiKey)api, version, _ => { });
        Assert.Null(await client.ReadAnswerAsync());
    }

    [Theory]
    [InlineData("ffffffff")] // negative size
    [InlineData("7fffffff")] // 2 GiB
    [InlineData("00000002 0000")] // too short for a header
    [InlineData("00000018 0003 0000 00000001 0004 77697265 7fffffff 0001 61 00000000")] // Metadata for 2^31-1 topics
    [InlineData("00000013 0003 0000 00000001 0004 77697265 00000001 7fff")] // a topic name longer than the request
    [InlineData("00000012 0003 0000 00000001 0004 77697265 ffffffff")] // Metadata 0 for null topics, which only later versions know
    [InlineData("00000016 0002 0001 00000001 0004 77697265 ffffffff ffffffff")] // ListOffsets for null topics, which no version knows
    public async Task Absurd_sizes_close_the_connection(string request)
    {
        using var client = await WireClient.ConnectAsync(shared.Process);
        await client.SendRawAsync(Convert.FromHexString(request.Replace(" ", "", StringComparison.Ordinal)));
        if (request.StartsWith("00000013", StringComparison.Ordinal)) await client.SendRawAsync(new byte[1]);
        Assert.Null(await client.ReadAnswerAsync());
    }

    private async Task<WireClient> ConnectWithTopicAsync(int partitions = 1)
    {
        var client = await WireClient.ConnectAsync(shared.Process);
        await client.CreateTopicAsync(_topic, partitions);
        return client;
    }

    /// <summary>Bytes of records for each partition in a Fetch answer of version 4 about one topic.</summary>
    private static List<int> RecordSizes(byte[] answer)
    {
        var reader = new WireReader(answer);
        reader.ReadInt32();
        Assert.Equal(1, reader.ReadInt32());
        reader.ReadString();
        var sizes = new List<int>();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            reader.ReadInt32();
            Assert.Equal(ErrorCode.None, (ErrorCode)reader.ReadInt16());
            reader.ReadInt64();
            reader.ReadInt64();
            reader.ReadInt32();
            sizes.Add(reader.ReadBytes().Length);
        }
        return sizes;
    }
}
