using System.Text.Json;
using MarketData.Domain.Channels;
using MarketData.Tests.Integration.LocalKafka;
using MarketData.Tests.Unit.ServiceDefaults;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>A restart brings the books and the numbers back from the log, and publishes only what is new.</summary>
public sealed class BootstrapTests : IAsyncLifetime
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
    public async Task First_start_publishes_every_snapshot()
    {
        await using var ingest = await StartAsync();
        var session = await _exchange.AcceptSubscribedAsync();
        await ReadAsync(2);
        Assert.Equal(session.Sent.Order(), _log.Records.Select(record => record.Payload).Order());
    }

    [Fact]
    public async Task With_unchanged_books_no_snapshot_is_published_again_and_the_numbers_go_on()
    {
        await RunOnceAsync();
        int before = _log.Records.Count;

        await using var ingest = await StartAsync();
        var session = await _exchange.AcceptAsync();
        await session.ServeSubscriptionsAsync(2, contracts: 11);
        await session.TradeAsync("MKT-A", "after");
        await session.DeltaAsync("MKT-A");

        await ReadAsync(before + 2);
        Assert.Equal(session.Sent.TakeLast(2), _log.Records.Skip(before).OrderBy(record => session.Sent.IndexOf(record.Payload)).Select(record => record.Payload));
        AssertNumbersGoOn();
        Assert.Equal(2, (await StatsAsync(ingest)).GetProperty("bootstrap").GetProperty("books").GetInt32());
    }

    [Fact]
    public async Task With_changed_books_exactly_the_changed_ones_are_published()
    {
        await RunOnceAsync();
        int before = _log.Records.Count;

        await using var ingest = await StartAsync();
        var session = await _exchange.AcceptAsync();
        await session.ServeSubscriptionsAsync(2, ticker => ticker == "MKT-B" ? 12 : 11);
        await session.TradeAsync("MKT-B", "after");

        await ReadAsync(before + 2);
        Assert.Equal(
            ["orderbook_snapshot", "trade"],
            _log.Records.Skip(before).Select(record => record.Json.GetProperty("channel").GetString()).Order());
        Assert.All(_log.Records.Skip(before), record => Assert.Equal("MKT-B", record.Key));
        AssertNumbersGoOn();
    }

    [Fact]
    public async Task Without_bootstrap_everything_is_published_under_a_new_epoch()
    {
        await RunOnceAsync();
        int before = _log.Records.Count;

        await using var ingest = await StartAsync(("Bootstrap:Enabled", "false"));
        await _exchange.AcceptSubscribedAsync();

        await ReadAsync(before + 2);
        Assert.All(_log.Records.Skip(before), record =>
        {
            Assert.Equal(1, record.Envelope.StreamSequence);
            Assert.True(record.Envelope.StreamEpoch > _log.Records[0].Envelope.StreamEpoch);
        });
    }

    [Fact]
    public async Task A_book_that_lacks_a_change_in_the_log_is_published_anew_and_its_numbers_go_on()
    {
        using (var feed = new EnvelopeFeed(_kafka.Bootstrap))
        {
            await using (await StartAsync())
            {
                // Makes the topic.
            }

            feed.Snapshot("MKT-A");
            feed.Skip("MKT-A", StreamKind.OrderBook);
            feed.Delta("MKT-A");
            feed.Raw("MKT-A", "no envelope"u8.ToArray());
            feed.Raw("MKT-A", null);
            feed.Flush();
        }

        await using var ingest = await StartAsync();
        await _exchange.AcceptSubscribedAsync();

        await _log.ReadUntilAsync(records => records.Count(record => record.Text.Contains("id-MKT", StringComparison.Ordinal)) == 2, "both snapshots are in the log");
        var snapshot = _log.Records.Last(record => record.Key == "MKT-A");
        Assert.Equal((1000, 4), (snapshot.Envelope.StreamEpoch, snapshot.Envelope.StreamSequence));
        var bootstrap = (await StatsAsync(ingest)).GetProperty("bootstrap");
        Assert.Equal((0, 2), (bootstrap.GetProperty("books").GetInt32(), bootstrap.GetProperty("unreadableRecords").GetInt32()));
    }

    [Fact]
    public async Task A_count_that_begins_has_a_later_epoch_than_everything_in_the_log_whatever_the_clock_says()
    {
        long future = DateTimeOffset.UtcNow.AddDays(1).ToUnixTimeMilliseconds();
        using (var feed = new EnvelopeFeed(_kafka.Bootstrap, epoch: future))
        {
            await using (await StartAsync())
            {
                // Makes the topic.
            }

            feed.Trade("MKT-Z");
            feed.Flush();
        }

        await using var ingest = await StartAsync();
        await _exchange.AcceptSubscribedAsync();
        await ReadAsync(3);
        Assert.All(_log.Records.Where(record => record.Key != "MKT-Z"), record => Assert.Equal(future + 1, record.Envelope.StreamEpoch));
    }

    [Fact]
    public async Task A_Kafka_that_dies_before_the_log_is_read_back_is_waited_for_and_said()
    {
        await RunOnceAsync();
        int before = _log.Records.Count;
        await _kafka.KillAsync();
        await using var ingest = await StartAsync();
        await ingest.WaitForAsync("bootstrap", "Unhealthy");

        await _kafka.StartAgainAsync();
        var session = await _exchange.AcceptAsync();
        await session.ServeSubscriptionsAsync(2, contracts: 11);
        await session.TradeAsync("MKT-A", "after");
        await ReadAsync(before + 1);
        Assert.Equal(before + 1, _log.Records.Count);
        await ingest.WaitForAsync("bootstrap", "Healthy");
    }

    private Task<ServiceHost> StartAsync(params (string Key, string Value)[] more) => IngestHost.StartUpstreamAsync(_exchange.Url, _kafka.Bootstrap, more);

    // Two books of eleven contracts, and a trade.
    private async Task RunOnceAsync()
    {
        await using var ingest = await StartAsync();
        var session = await _exchange.AcceptSubscribedAsync();
        await session.DeltaAsync("MKT-A");
        await session.DeltaAsync("MKT-B");
        await session.TradeAsync("MKT-A", "before");
        await ReadAsync(5);
    }

    private void AssertNumbersGoOn()
    {
        foreach (var stream in _log.Records.GroupBy(record => (record.Key, record.Envelope.Channel.Stream())))
        {
            Assert.Single(stream.Select(record => record.Envelope.StreamEpoch).Distinct());
            Assert.Equal(Enumerable.Range(1, stream.Count()).Select(number => (long)number), stream.Select(record => record.Envelope.StreamSequence));
        }
    }

    private Task ReadAsync(int count) => _log.ReadUntilAsync(records => records.Count >= count, $"{count} records are in the log");

    private static async Task<JsonElement> StatsAsync(ServiceHost ingest) => (await ingest.GetAsync("/stats")).Json;
}
