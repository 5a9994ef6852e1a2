using System.Globalization;

namespace MarketData.Tests.Integration.LocalKafka;

/// <summary>kcat, python3-kafka and kafkajs: three clients that share no code with each other but for kcat's librdkafka.</summary>
public sealed class OtherClientTests
{
    [Theory]
    [InlineData(ClientKind.Kcat)]
    [InlineData(ClientKind.Python)]
    [InlineData(ClientKind.Kafkajs)]
    public async Task Every_codec_comes_back_whole_and_in_order(ClientKind kind)
    {
        await using var broker = await BrokerProcess.StartAsync();
        foreach (var codec in (string[])["none", "gzip", "snappy", "lz4", "zstd"])
        {
            await using var producing = ClientProgram.Produce(kind, broker, $"prices-{codec}", codec, 200);
            await producing.FinishAsync();
            await using var consuming = ClientProgram.Consume(kind, broker, $"prices-{codec}", 200);
            Assert.Equal(Enumerable.Range(0, 200), Numbers(await consuming.FinishAsync()));
        }
    }

    [Theory]
    [InlineData(ClientKind.Kcat)]
    [InlineData(ClientKind.Python)]
    [InlineData(ClientKind.Kafkajs)]
    public async Task Three_members_share_a_topic_and_take_over_from_one_that_leaves_and_one_that_is_killed(ClientKind kind)
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:6");
        await using var first = ClientProgram.Member(kind, broker, "relay", "prices");
        await using var second = ClientProgram.Member(kind, broker, "relay", "prices");
        await SharedBetween(first, second);
        await using var third = ClientProgram.Member(kind, broker, "relay", "prices");
        await SharedBetween(first, second, third);

        await third.StopAsync();
        await SharedBetween(first, second);
        await second.KillAsync();
        await SharedBetween(first);
    }

    [Theory]
    [InlineData(ClientKind.Kcat)]
    [InlineData(ClientKind.Python)]
    [InlineData(ClientKind.Kafkajs)]
    public async Task Offsets_are_found_by_time(ClientKind kind)
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:1");
        using (var wire = await WireClient.ConnectAsync(broker))
            foreach (var (timestamp, codec) in ((long, Codec)[])[(1_700_000_000_000, Codec.None), (1_700_000_000_050, Codec.Gzip), (1_700_000_000_030, Codec.None)])
                await wire.ProduceAsync("prices", 0, new BatchBuilder { Codec = codec }.Add(timestamp, "tick").Add(timestamp + 10, "tock").Build());

        async Task<int> Offset(long timestamp)
        {
            await using var asking = ClientProgram.Offset(kind, broker, "prices", timestamp);
            return int.Parse((await asking.FinishAsync())[^1].Split(' ')[^1], CultureInfo.InvariantCulture);
        }

        Assert.Equal(0, await Offset(1_700_000_000_000));
        Assert.Equal(1, await Offset(1_700_000_000_001));
        Assert.Equal(2, await Offset(1_700_000_000_035));
        Assert.Equal(3, await Offset(1_700_000_000_055));
    }

    /// <summary>kcat reads its input at its own pace, so only the clients that can be slowed down take part.</summary>
    [Theory]
    [InlineData(ClientKind.Python)]
    [InlineData(ClientKind.Kafkajs)]
    public async Task A_producer_goes_on_after_a_kill_in_the_middle_and_nothing_acknowledged_is_lost(ClientKind kind)
    {
        await using var broker = await BrokerProcess.StartAsync("--topic", "prices:1");
        await using var producing = ClientProgram.Produce(kind, broker, "prices", "gzip", 300, pauseMs: 20);
        await producing.WaitForLineAsync("producing");

        await broker.KillAsync();
        await broker.StartAgainAsync();
        await producing.FinishAsync();

        await using var consuming = ClientProgram.Consume(ClientKind.Kcat, broker, "prices", 300);
        var numbers = Numbers(await consuming.FinishAsync());
        Assert.Equal(Enumerable.Range(0, 300), numbers.Distinct());
    }

    private static IEnumerable<int> Numbers(IEnumerable<string> lines) => lines.Select(line => int.Parse(line, CultureInfo.InvariantCulture));

    private static Task SharedBetween(params ClientProgram[] members) => Eventually.TrueAsync(
        () => members.All(member => member.Assignment.Count == 6 / members.Length) && members.SelectMany(member => member.Assignment).Distinct().Count() == 6,
        () => $"the six partitions are not shared: {string.Join(" | ", members.Select(member => string.Join(',', member.Assignment)))}");
}
