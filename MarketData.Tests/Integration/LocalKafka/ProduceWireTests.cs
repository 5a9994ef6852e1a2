using System.Buffers.Binary;
using MarketData.LocalKafka.Protocol;

namespace MarketData.Tests.Integration.LocalKafka;

/// <summary>Produce and idempotence, row by row as measured on Apache Kafka 2.3.</summary>
public sealed class ProduceWireTests(ProduceWireTests.Broker shared) : IClassFixture<ProduceWireTests.Broker>
{
    /// <summary>A batch that a real broker accepted: "k" → "hello" at 1700000000000, null → "world" 5 ms later.</summary>
    private static readonly byte[] TestVector = Convert.FromHexString(
        "00000000000000000000004affffffff02d0e1d49a0000000000010000018bcfe568000000018bcfe56805ffffffffffffffffffffffffffff0000000218000000026b0a68656c6c6f0016000a02010a776f726c6400");

    private static int _topics;

    private readonly string _topic = $"produce-{Interlocked.Increment(ref _topics)}";

    /// <summary>One broker for all tests of the class; each has a topic of its own.</summary>
    public sealed class Broker : IAsyncLifetime
    {
        internal BrokerProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Process = await BrokerProcess.StartAsync();

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }

    [Fact]
    public async Task A_batch_is_stored_as_sent_but_for_its_offset_and_leader_epoch()
    {
        using var client = await ConnectWithTopicAsync();
        Assert.Equal(new Produced(ErrorCode.None, 0, 0), await client.ProduceAsync(_topic, 0, TestVector));
        Assert.Equal(new Produced(ErrorCode.None, 2, 0), await client.ProduceAsync(_topic, 0, TestVector));

        var fetched = await client.FetchAsync(_topic, 0, 0);

        var first = (byte[])TestVector.Clone();
        first.AsSpan(12, 4).Clear();
        var second = (byte[])first.Clone();
        BinaryPrimitives.WriteInt64BigEndian(second, 2);
        Assert.Equal([.. first, .. second], fetched.Records);
        Assert.Equal((4, 4, 0), (fetched.HighWatermark, fetched.LastStableOffset, fetched.LogStartOffset));
    }

    [Fact]
    public async Task Wrong_batches_are_answered_with_the_documented_errors()
    {
        using var client = await ConnectWithTopicAsync();
        var good = new BatchBuilder().AddMany(3).Build();
        var badChecksum = (byte[])good.Clone();
        badChecksum[^1] ^= 1;
        var truncatedRecords = new BatchBuilder { CountError = 1 }.AddMany(3).Build();
        var old = (byte[])good.Clone();
        old[16] = 1;

        async Task<ErrorCode> Error(byte[] records, short acks = -1, int partition = 0) => (await client.ProduceAsync(_topic, partition, records, acks)).Error;

        Assert.Equal(ErrorCode.CorruptMessage, await Error(badChecksum));
        Assert.Equal(ErrorCode.CorruptMessage, await Error(truncatedRecords));
        Assert.Equal(ErrorCode.CorruptMessage, await Error([.. good, .. good]));
        Assert.Equal(ErrorCode.CorruptMessage, await Error(new BatchBuilder { BaseOffset = 5 }.AddMany(3).Build()));
        Assert.Equal(ErrorCode.CorruptMessage, await Error(new BatchBuilder { ExtraAttributes = 32 }.AddMany(1).Build()));
        Assert.Equal(ErrorCode.CorruptMessage, await Error(old));
        Assert.Equal(ErrorCode.MessageTooLarge, await Error(new BatchBuilder().Add(0, new string('x', 1_100_000)).Build()));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await Error(good, partition: 2));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.ProduceAsync("no-such-topic", 0, good)).Error);
        Assert.Equal(new Produced(ErrorCode.InvalidRequiredAcks, -1, -1), await client.ProduceAsync(_topic, 0, good, acks: 2));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await Error(good, acks: 2, partition: 2));
        Assert.Equal(ErrorCode.CorruptMessage, await Error([.. good, .. good], acks: 2));
        Assert.Equal(ErrorCode.InvalidTimestamp, await Error(new BatchBuilder { ExtraAttributes = 8 }.AddMany(1).Build()));
        Assert.Equal(ErrorCode.UnsupportedCompressionType, (await client.ProduceAsync(_topic, 0, new BatchBuilder { ExtraAttributes = 4 }.AddMany(1).Build(), version: 6)).Error);
        Assert.Equal(ErrorCode.TransactionalIdAuthorizationFailed, await Error(new BatchBuilder { ExtraAttributes = 16 }.AddMany(1).Build()));
        Assert.Equal(0, (await client.ListOffsetAsync(_topic, 0, -1)).Offset);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public async Task Every_version_is_answered(short version)
    {
        using var client = await ConnectWithTopicAsync();
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync(_topic, 0, TestVector, version: version)).Error);
    }

    [Fact]
    public async Task Without_acknowledgement_there_is_no_answer_and_an_error_closes_the_connection()
    {
        using var client = await ConnectWithTopicAsync();
        await client.SendProduceAsync(_topic, 0, TestVector, acks: 0);
        // The next answer on the connection is that of the next request.
        Assert.Equal(2, (await client.ListOffsetAsync(_topic, 0, -1)).Offset);

        await client.SendProduceAsync("no-such-topic", 0, TestVector, acks: 0);
        Assert.Null(await client.ReadAnswerAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public async Task Records_that_are_no_batch_close_the_connection(int bytes)
    {
        using var client = await ConnectWithTopicAsync();
        await client.SendProduceAsync(_topic, 0, TestVector[..bytes]);
        Assert.Null(await client.ReadAnswerAsync());

        using var cutOld = await WireClient.ConnectAsync(shared.Process);
        var oldFormat = (byte[])TestVector.Clone();
        oldFormat[16] = 1;
        await cutOld.SendProduceAsync(_topic, 0, oldFormat[..^1]);
        Assert.Null(await cutOld.ReadAnswerAsync());

        using var another = await WireClient.ConnectAsync(shared.Process);
        var unknownFormat = (byte[])TestVector.Clone();
        unknownFormat[16] = 3;
        await another.SendProduceAsync(_topic, 0, unknownFormat);
        Assert.Null(await another.ReadAnswerAsync());
    }

    [Fact]
    public async Task Of_a_partition_named_twice_in_a_request_the_last_batch_is_appended()
    {
        using var client = await ConnectWithTopicAsync();
        var last = new BatchBuilder().AddMany(3).Build();
        var answer = await client.AskAsync(ApiKey.Produce, 7, body =>
        {
            body.WriteNullableString(null);
            body.WriteInt16(-1);
            body.WriteInt32(1000);
            body.WriteInt32(1);
            body.WriteString(_topic);
            body.WriteInt32(2);
            foreach (var records in (byte[][])[TestVector, last])
            {
                body.WriteInt32(0);
                body.WriteBytes(records);
            }
        });
        Assert.Equal(new Produced(ErrorCode.None, 0, 0), WireClient.ReadProduced(answer));
        Assert.Equal(3, (await client.ListOffsetAsync(_topic, 0, -1)).Offset);
    }

    [Fact]
    public async Task Sequences_are_judged_as_documented()
    {
        using var client = await ConnectWithTopicAsync();
        var id = await client.NewProducerIdAsync();

        Task<Produced> Send(int sequence, int count = 1, short epoch = 0, long? producer = null) =>
            client.ProduceAsync(_topic, 0, new BatchBuilder { ProducerId = producer ?? id, ProducerEpoch = epoch, BaseSequence = sequence }.AddMany(count).Build());

        Assert.Equal(new Produced(ErrorCode.UnknownProducerId, -1, 0), await Send(3));
        for (var i = 0; i < 6; i++) Assert.Equal(new Produced(ErrorCode.None, i * 2, 0), await Send(i * 2, 2));

        // A repeat is answered with the old offset and, as if it had been appended then, with the batch's own time.
        Assert.Equal(new Produced(ErrorCode.None, 2, 0, AppendTime: 1_700_000_000_001), await Send(2, 2)); // fifth from the end
        Assert.Equal(new Produced(ErrorCode.None, 10, 0, AppendTime: 1_700_000_000_001), await Send(10, 2)); // the last
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await Send(0, 2)).Error); // repeat older than five
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await Send(10, 1)).Error); // part of an old batch
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await Send(13)).Error); // gap
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await Send(5, epoch: 1)).Error);
        Assert.Equal(new Produced(ErrorCode.None, 12, 0), await Send(0, epoch: 1));
        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await Send(12)).Error);
        Assert.Equal(13, (await client.ListOffsetAsync(_topic, 0, -1)).Offset);
        Assert.NotEqual(id, await client.NewProducerIdAsync());
    }

    [Fact]
    public async Task A_retry_after_a_connection_that_was_cut_before_the_answer_makes_no_duplicate()
    {
        using var client = await ConnectWithTopicAsync();
        var id = await client.NewProducerIdAsync();
        var batch = new BatchBuilder { ProducerId = id, ProducerEpoch = 0, BaseSequence = 0 }.AddMany(4).Build();
        using (var cut = await WireClient.ConnectAsync(shared.Process)) await cut.SendProduceAsync(_topic, 0, (byte[])batch.Clone());
        await Eventually.TrueAsync(() => client.ListOffsetAsync(_topic, 0, -1).GetAwaiter().GetResult().Offset == 4, () => "the first try has not been appended");

        Assert.Equal(new Produced(ErrorCode.None, 0, 0, AppendTime: 1_700_000_000_003), await client.ProduceAsync(_topic, 0, batch));
        Assert.Equal(4, (await client.ListOffsetAsync(_topic, 0, -1)).Offset);
    }

    private async Task<WireClient> ConnectWithTopicAsync()
    {
        var client = await WireClient.ConnectAsync(shared.Process);
        await client.CreateTopicAsync(_topic, partitions: 2);
        return client;
    }
}
