using System.Text;
using Confluent.Kafka;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Tests.Integration.LocalKafka;
using MarketData.Tests.Unit.ServiceDefaults;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>Of several ingest processes one takes the feed, another goes on when it is gone, and a replaced one does no harm.</summary>
public sealed class LeadershipTests : IAsyncLifetime
{
    private BrokerProcess _kafka = null!;
    private ScriptedExchange _exchange = null!;
    private LogReader _log = null!;

    public async ValueTask InitializeAsync()
    {
        _kafka = await BrokerProcess.StartAsync();
        _exchange = await ScriptedExchange.StartAsync();
        _log = new LogReader(_kafka.Bootstrap);
    }

    public async ValueTask DisposeAsync()
    {
        _log.Dispose();
        await _exchange.DisposeAsync();
        await _kafka.DisposeAsync();
    }

    [Fact]
    public async Task A_standby_takes_no_feed_is_healthy_and_says_for_whom_it_stands_by()
    {
        await using var active = await StartAsync();
        await _exchange.AcceptSubscribedAsync();
        await using var standby = await StartAsync();

        await Eventually.TrueAsync(async () => await RoleAsync(standby) == "standby", () => "the second process stands by");

        Assert.Equal("active", await RoleAsync(active));
        var health = await standby.WaitForAsync("leadership", "Healthy");
        Assert.StartsWith("Standing by for ", health.Reason("leadership"), StringComparison.Ordinal);
        await standby.WaitForAsync("exchange", "Healthy");
        await standby.WaitForAsync("bootstrap", "Healthy");
        Assert.Equal(1, _exchange.Listings);
    }

    [Fact]
    public async Task When_the_leader_stops_the_standby_goes_on_and_publishes_no_unchanged_book()
    {
        var active = await StartAsync();
        var session = await _exchange.AcceptSubscribedAsync();
        await session.DeltaAsync("MKT-A");
        await using var standby = await StartAsync();
        await Eventually.TrueAsync(async () => await RoleAsync(standby) == "standby", () => "the second process stands by");
        await ReadAsync(3);

        await active.DisposeAsync();
        session = await _exchange.AcceptAsync();
        await session.ServeSubscriptionsAsync(2, ticker => ticker == "MKT-A" ? 11 : 10);
        await session.DeltaAsync("MKT-A");
        await ReadAsync(4);

        Assert.Equal("active", await RoleAsync(standby));
        Assert.Equal(session.Sent[^1], _log.Records[^1].Payload);
        var positions = _log.Records.Where(record => record.Key == "MKT-A").Select(record => record.Envelope.Position).ToList();
        Assert.Equal([1, 2, 3], positions.Select(position => position.Sequence));
        Assert.Single(positions.Select(position => position.Epoch).Distinct());
        Assert.True(_log.Records[^1].Envelope.Term > _log.Records[0].Envelope.Term);
    }

    [Fact]
    public async Task A_leader_that_another_replaces_stops_its_feed_and_takes_it_again_when_that_one_resigns()
    {
        await using var ingest = await StartAsync();
        var session = await _exchange.AcceptSubscribedAsync();
        long term = await TermAsync(ingest);

        Say(LeaseClaim(term + 1_000_000));
        await Eventually.TrueAsync(async () => await RoleAsync(ingest) == "standby", () => "the process stands by");
        await _log.ReadUntilAsync(records => records.Count >= 2, "the first two snapshots");
        session.Cut();
        int before = _log.Records.Count;
        Say($$"""{"kind":"resignation","term":{{term + 1_000_000}},"process":"other"}""");

        await _exchange.AcceptSubscribedAsync();
        Assert.True(await TermAsync(ingest) > term + 1_000_000);
        // Nothing has changed, so nothing was published: not even that books are stale, which is not this process's to say.
        Assert.Equal(before, _log.Records.Count);
    }

    [Fact]
    public async Task What_a_replaced_leader_still_writes_counts_for_nobody()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var listener = await RedisListener.StartAsync(redis);
        await using (await StartAsync())
        {
            await _exchange.AcceptSubscribedAsync();
            await ReadAsync(2);
        }

        var ingest = await StartAsync(("Relay:Enabled", "true"), ("ConnectionStrings:redis", redis.ConnectionString));
        var session = await _exchange.AcceptAsync();
        await session.ServeSubscriptionsAsync(2);
        // The number that comes next, from the term that has ended.
        WriteAsZombie("MKT-A", _log.Records.First(record => record.Key == "MKT-A").Envelope);
        await _log.ReadUntilAsync(records => records.Any(record => record.Payload.Contains("zombie", StringComparison.Ordinal)), "the late record");
        await session.DeltaAsync("MKT-A");

        await Eventually.TrueAsync(() => listener.Messages.Any(message => message.Value.Contains("\"delta_fp\":\"1.00\"", StringComparison.Ordinal)), () => "the delta is relayed");
        Assert.DoesNotContain(listener.Messages, message => message.Value.Contains("zombie", StringComparison.Ordinal));
        var stats = (await ingest.GetAsync("/stats")).Json;
        Assert.Equal(1, stats.GetProperty("upstream").GetProperty("dropped").GetProperty("fenced").GetInt64());

        // Nor for a bootstrap: the number that the late record has was given out once, by the leader.
        await ingest.DisposeAsync();
        await using var again = await StartAsync();
        session = await _exchange.AcceptAsync();
        await session.ServeSubscriptionsAsync(2, ticker => ticker == "MKT-A" ? 11 : 10);
        await session.DeltaAsync("MKT-A");
        await _log.ReadUntilAsync(records => records.Any(record => record.Envelope is { StreamSequence: 3 } && record.Key == "MKT-A"), "the third of the stream");
        Assert.Equal(1, _log.Records.Count(record => record.Key == "MKT-A" && record.Payload.Contains("\"delta_fp\":\"1.00\"", StringComparison.Ordinal) && record.Envelope.StreamSequence == 3));
    }

    private Task<ServiceHost> StartAsync(params (string, string)[] more) =>
        IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap, [("Leadership:LeaseMs", "2000"), ("Leadership:HeartbeatMs", "200"), .. more]);

    private static async Task<string> RoleAsync(ServiceHost ingest) => (await LeadershipAsync(ingest)).GetProperty("role").GetString()!;

    private static async Task<long> TermAsync(ServiceHost ingest) => (await LeadershipAsync(ingest)).GetProperty("term").GetInt64();

    private static async Task<System.Text.Json.JsonElement> LeadershipAsync(ServiceHost ingest) => (await ingest.GetAsync("/stats")).Json.GetProperty("leadership");

    private Task ReadAsync(int count) => _log.ReadUntilAsync(records => records.Count >= count, $"{count} records");

    private static string LeaseClaim(long term) => $$"""{"kind":"claim","term":{{term}},"process":"other"}""";

    private void Say(string record) => Write("market-data-ingest-lease", null, Encoding.UTF8.GetBytes(record));

    private void WriteAsZombie(string ticker, Envelope earlier)
    {
        var writer = new EnvelopeWriter { Term = earlier.Term };
        var payload = Encoding.UTF8.GetBytes($$$"""{"type":"orderbook_delta","zombie":1,"msg":{"market_ticker":"{{{ticker}}}","price_dollars":"0.4000","delta_fp":"5.00","side":"yes"}}""");
        Write(
            KafkaNames.Topic,
            Encoding.UTF8.GetBytes(ticker),
            writer.Write(payload, "orderbook_delta"u8, Encoding.UTF8.GetBytes(ticker), null, earlier.Position.Next, 1, 2).ToArray());
    }

    private void Write(string topic, byte[]? key, byte[] value)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = _kafka.Bootstrap, Acks = Acks.All }).SetLogHandler((_, _) => { }).Build();
        producer.Produce(topic, new Message<byte[], byte[]> { Key = key!, Value = value });
        Assert.Equal(0, producer.Flush(TimeSpan.FromSeconds(30)));
    }
}
