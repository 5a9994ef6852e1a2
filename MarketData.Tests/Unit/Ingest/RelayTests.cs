using System.Globalization;
using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Envelopes;
using MarketData.ServiceDefaults.Redis;
using MarketData.Tests.Integration.LocalKafka;
using MarketData.Tests.Unit.ServiceDefaults;
using StackExchange.Redis;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>From the log of a real broker to a real Redis.</summary>
public sealed class RelayTests : IAsyncLifetime
{
    private static readonly string[] Markets = [.. Enumerable.Range(0, 12).Select(number => $"MKT-{number}")];
    private BrokerProcess _kafka = null!;
    private RedisServer _redis = null!;
    private Gate _gate = null!;
    private EnvelopeFeed _feed = null!;

    public async ValueTask InitializeAsync()
    {
        _kafka = await BrokerProcess.StartAsync("--topic", "market-data-all:8");
        _redis = await RedisServer.StartAsync(isDurable: true);
        _gate = new Gate(((System.Net.IPEndPoint)ConfigurationOptions.Parse(_redis.ConnectionString).EndPoints[0]).Port);
        _feed = new EnvelopeFeed(_kafka.Bootstrap);
    }

    public async ValueTask DisposeAsync()
    {
        _feed.Dispose();
        await _gate.DisposeAsync();
        await _redis.DisposeAsync();
        await _kafka.DisposeAsync();
    }

    [Fact]
    public async Task Envelopes_are_published_to_their_channel_and_to_all_in_order()
    {
        await using var listener = await RedisListener.StartAsync(_redis);
        await using var relay = await StartRelayAsync();
        Begin();
        _feed.Busy(Markets, 3000);
        await listener.HasAllOfAsync(_feed);
        listener.AssertInOrder(_feed);
        Assert.Equal(2 * _feed.Count, listener.Messages.Count);
        await AssertKeysAsync();
    }

    [Fact]
    public async Task The_last_200_trades_of_a_market_are_listed_in_order_and_expire()
    {
        await using var listener = await RedisListener.StartAsync(_redis);
        await using var relay = await StartRelayAsync();
        for (int i = 0; i < 230; i++) _feed.Trade("TRADED");
        _feed.Trade("ONCE");
        await listener.HasAllOfAsync(_feed);

        await using var connection = await ConnectionMultiplexer.ConnectAsync(_redis.ConnectionString);
        var redis = connection.GetDatabase();
        Assert.Equal(_feed.Sent["TRADED"].TakeLast(200), (await redis.ListRangeAsync("market-data:trades:TRADED")).Select(value => value.ToString()));
        Assert.Equal(_feed.Sent["ONCE"], (await redis.ListRangeAsync("market-data:trades:ONCE")).Select(value => value.ToString()));
        Assert.InRange((await redis.KeyTimeToLiveAsync("market-data:trades:ONCE")).GetValueOrDefault(), TimeSpan.FromHours(23), TimeSpan.FromHours(24));
    }

    [Fact]
    public async Task Keys_are_never_ahead_of_what_was_published_and_expire()
    {
        await using var relay = await StartRelayAsync(("Relay:SnapshotIntervalMs", "10"));
        await using var listener = await RedisListener.StartAsync(_redis);
        await using var connection = await _redis.ConnectAsync();
        Begin();
        var feeding = Task.Run(
            () =>
            {
                for (int i = 0; i < 60; i++)
                {
                    _feed.Busy(Markets, 50);
                    _feed.Flush();
                }
            },
            TestContext.Current.CancellationToken);
        int looks = 0;
        while (!feeding.IsCompleted)
        {
            // Published before the key was written, so heard at the latest when a command after reading the key is answered.
            if (await GetAsync(connection, "market-data:snapshot:MKT-3") is not { } key) continue;
            Assert.True(Envelope.TryParse(key, out var envelope, out _));
            long number = envelope.StreamSequence;
            await Eventually.TrueAsync(
                () => listener.Messages.Any(message => message.Value.Contains("\"MKT-3\"", StringComparison.Ordinal)
                    && message.Value.Contains($"\"streamSequence\":{number},", StringComparison.Ordinal)),
                TimeSpan.FromSeconds(30), () => $"number {number} of the key was published");
            looks++;
        }

        await feeding;
        Assert.True(looks > 0);
        await AssertKeysAsync();
        foreach (string key in (string[])["market-data:snapshot:MKT-3", "market-data:last:MKT-3:ticker_v2"])
        {
            connection.Write("TTL"u8, Encoding.UTF8.GetBytes(key));
            await connection.FlushAsync(TestContext.Current.CancellationToken);
            Assert.InRange((await connection.ReadAsync(TestContext.Current.CancellationToken)).Number, 1, 24 * 3600);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Redis_killed_in_a_busy_stream_costs_no_message_and_no_key(bool dataIsKept)
    {
        await using var redis = dataIsKept ? null : await RedisServer.StartAsync();
        var server = redis ?? _redis;
        await using var gate = new Gate(((System.Net.IPEndPoint)ConfigurationOptions.Parse(server.ConnectionString).EndPoints[0]).Port);
        await using var relay = await StartRelayAsync(gate);
        var before = await RedisListener.StartAsync(server);
        Begin();
        _feed.Busy(Markets, 2000);
        await Eventually.TrueAsync(() => before.Messages.Count > 500, TimeSpan.FromSeconds(60), () => "the stream flows");

        gate.Shut();
        await server.KillAsync();
        _feed.Busy(Markets, 2000);
        await relay.WaitForAsync("relay", "Unhealthy");
        server.Restart();
        await using var after = await RedisListener.StartAsync(server, before.Messages);
        gate.Open();
        _feed.Busy(Markets, 500);

        await after.HasAllOfAsync(_feed);
        after.AssertInOrder(_feed);
        await AssertKeysAsync(server);
        await relay.WaitForAsync("relay", "Healthy");
        await before.DisposeAsync();
    }

    [Fact]
    public async Task Connections_cut_again_and_again_cost_no_message()
    {
        await using var relay = await StartRelayAsync();
        await using var listener = await RedisListener.StartAsync(_redis);
        Begin();
        for (int i = 0; i < 8; i++)
        {
            _feed.Busy(Markets, 800);
            int heard = listener.Messages.Count;
            await Eventually.TrueAsync(() => listener.Messages.Count > heard + 100, TimeSpan.FromSeconds(60), () => "the stream flows");
            _gate.Shut();
            _gate.Open();
        }

        await listener.HasAllOfAsync(_feed);
        listener.AssertInOrder(_feed);
        await AssertKeysAsync();
    }

    [Fact]
    public async Task Keys_that_an_idle_Redis_lost_are_written_again()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var gate = new Gate(((System.Net.IPEndPoint)ConfigurationOptions.Parse(redis.ConnectionString).EndPoints[0]).Port);
        await using var relay = await StartRelayAsync(gate);
        Begin();
        _feed.Busy(Markets, 200);
        await AssertKeysAsync(redis);
        await redis.KillAsync();
        redis.Restart();
        await AssertKeysAsync(redis);
    }

    [Fact]
    public async Task A_new_relay_goes_on_where_the_last_one_stopped()
    {
        await using var listener = await RedisListener.StartAsync(_redis);
        await using (var first = await StartRelayAsync())
        {
            Begin();
            _feed.Busy(Markets, 3000);
            await Eventually.TrueAsync(() => listener.Messages.Count > 1000, TimeSpan.FromSeconds(60), () => "the stream flows");
            await first.StopAsync().WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        }

        _feed.Busy(Markets, 1000);
        await using var second = await StartRelayAsync();
        await listener.HasAllOfAsync(_feed);
        listener.AssertInOrder(_feed);
        await AssertKeysAsync();
        // A stop commits everything that was published.
        Assert.Equal(2 * _feed.Count, listener.Messages.Count);
    }

    [Fact]
    public async Task A_new_relay_makes_the_keys_of_quiet_markets_right_when_Redis_lost_them_meanwhile()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var gate = new Gate(((System.Net.IPEndPoint)ConfigurationOptions.Parse(redis.ConnectionString).EndPoints[0]).Port);
        await using (var first = await StartRelayAsync(gate))
        {
            Begin();
            _feed.Busy(Markets, 1000);
            await AssertKeysAsync(redis);
            await first.StopAsync();
        }

        await redis.KillAsync();
        redis.Restart();
        await using var second = await StartRelayAsync(gate);
        await AssertKeysAsync(redis);
        await second.WaitForAsync("relay", "Healthy");
    }

    [Fact]
    public async Task A_new_relay_reads_again_what_a_Redis_with_older_keys_lacks()
    {
        var older = new Dictionary<string, byte[]>();
        await using var connection = await _redis.ConnectAsync();
        await using (var first = await StartRelayAsync())
        {
            Begin();
            _feed.Busy(Markets, 500);
            _feed.Flush();
            await AssertKeysAsync();
            await Eventually.TrueAsync(() => MarkedOffsets(connection) == _feed.Count, TimeSpan.FromSeconds(60), () => "everything is committed");
            foreach (string key in Keys()) older[key] = (await GetAsync(connection, key))!;
            _feed.Busy(Markets, 500);
            _feed.Flush();
            await AssertKeysAsync();
            await Eventually.TrueAsync(() => MarkedOffsets(connection) == _feed.Count, TimeSpan.FromSeconds(60), () => "everything is committed");
            await first.StopAsync();
        }

        foreach (var (key, value) in older) await SetAsync(connection, key, value);
        await using var listener = await RedisListener.StartAsync(_redis);
        await using var second = await StartRelayAsync();
        await AssertKeysAsync();
        Assert.Empty(listener.Messages);

        IEnumerable<string> Keys() => Markets.Select(market => $"market-data:snapshot:{market}")
            .Concat(Enumerable.Range(0, 8).Select(partition => $"market-data:relay:{partition}")).Where(key => GetAsync(connection, key).GetAwaiter().GetResult() != null);
    }

    [Fact]
    public async Task A_lost_key_of_one_market_is_made_again_from_the_log()
    {
        await using var connection = await _redis.ConnectAsync();
        await using (var first = await StartRelayAsync())
        {
            Begin();
            _feed.Busy(Markets, 500);
            await AssertKeysAsync();
            await first.StopAsync();
        }

        connection.Write("DEL"u8, "market-data:snapshot:MKT-5"u8);
        await connection.FlushAsync(TestContext.Current.CancellationToken);
        await connection.ReadAsync(TestContext.Current.CancellationToken);
        await using var listener = await RedisListener.StartAsync(_redis);
        await using var second = await StartRelayAsync();
        int published = _feed.Count;
        _feed.Delta("MKT-5");
        await AssertKeysAsync();
        Assert.Equal(2, listener.Messages.Count);
        Assert.Equal(published + 1, _feed.Count);
    }

    [Fact]
    public async Task Kafka_killed_in_a_busy_stream_costs_nothing_that_it_acknowledged()
    {
        await using var listener = await RedisListener.StartAsync(_redis);
        await using var relay = await StartRelayAsync();
        Begin();
        _feed.Busy(Markets, 2000);
        await Eventually.TrueAsync(() => listener.Messages.Count > 500, TimeSpan.FromSeconds(60), () => "the stream flows");
        await _kafka.KillAsync();
        _feed.Busy(Markets, 2000);
        await _kafka.StartAgainAsync();
        _feed.Flush();

        await listener.HasAllOfAsync(_feed);
        listener.AssertInOrder(_feed);
        await AssertKeysAsync();
    }

    [Fact]
    public async Task Poisoned_records_are_passed_over()
    {
        await using var listener = await RedisListener.StartAsync(_redis);
        await using var relay = await StartRelayAsync();
        Begin();
        foreach (string market in Markets)
        {
            _feed.Raw(market, null);
            _feed.Raw(market, []);
            _feed.Raw(market, "{"u8.ToArray());
            _feed.Raw(market, [0xff, 0xfe]);
            _feed.Raw(market, """{"payload":{},"channel":"a*b"}"""u8.ToArray());
        }

        _feed.Busy(Markets, 200);
        await listener.HasAllOfAsync(_feed);
        listener.AssertInOrder(_feed);
        await AssertKeysAsync();
    }

    [Fact]
    public async Task A_relay_stays_in_its_group_while_Redis_is_away()
    {
        await using var relay = await StartRelayAsync(("Aspire:Confluent:Kafka:Consumer:Config:SessionTimeoutMs", "6000"), ("Aspire:Confluent:Kafka:Consumer:Config:MaxPollIntervalMs", "6000"));
        await using var listener = await RedisListener.StartAsync(_redis);
        Begin();
        await listener.HasAllOfAsync(_feed);
        _gate.Shut();
        _feed.Busy(Markets, 100);
        long start = TimeProvider.System.GetTimestamp();
        await relay.WaitForAsync("relay", "Unhealthy");
        await Eventually.TrueAsync(() => TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(60), () => "longer than the group waits");
        _gate.Open();
        await listener.HasAllOfAsync(_feed);
        listener.AssertInOrder(_feed);
        // A relay that was thrown out would begin again at the last commit.
        Assert.Equal(2 * _feed.Count, listener.Messages.Count);
    }

    [Fact]
    public async Task A_stop_takes_less_than_ten_seconds_also_without_Kafka_and_Redis()
    {
        var relay = await StartRelayAsync();
        await using (relay)
        {
            Begin();
            await AssertKeysAsync();
            _feed.Busy(Markets, 100);
            _feed.Flush();
            await _kafka.KillAsync();
            _gate.Shut();
            await relay.WaitForAsync("relay", "Unhealthy");
            await relay.StopAsync().WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        }
    }

    private void Begin()
    {
        foreach (string market in Markets)
        {
            _feed.Snapshot(market);
            _feed.Ticker(market);
        }
    }

    private Task<ServiceHost> StartRelayAsync(params (string Key, string Value)[] more) => StartRelayAsync(_gate, more);

    private Task<ServiceHost> StartRelayAsync(Gate gate, params (string Key, string Value)[] more) =>
        IngestHost.StartRelayAsync(_kafka.Bootstrap, $"127.0.0.1:{gate.Port},password=redis-secret", [("Relay:CommitIntervalMs", "100"), .. more]);

    /// <summary>Waits until the keys hold what the feed has sent.</summary>
    private async Task AssertKeysAsync(RedisServer? server = null)
    {
        await using var connection = await (server ?? _redis).ConnectAsync();
        foreach (string market in Markets)
        {
            string state = "";
            await Eventually.TrueAsync(
                () => IsRight(market, out state),
                TimeSpan.FromSeconds(60),
                () => $"the keys of {market} are right; {state}");
        }

        bool IsRight(string market, out string state)
        {
            state = "no snapshot key";
            var expected = _feed.Books[market];
            if (GetAsync(connection, $"market-data:snapshot:{market}").GetAwaiter().GetResult() is not { } key) return false;
            Assert.True(Envelope.TryParse(key, out var envelope, out var error), error);
            var book = new SequencedBook();
            Assert.Equal(BookOutcome.Applied, book.Apply(key, envelope));
            state = $"{book.Position} where {expected.Position} is expected";
            if (book.Position != expected.Position) return false;
            Assert.True(book.Book.ContentEquals(expected.Book));
            state = "no or an old ticker key";
            var ticker = GetAsync(connection, $"market-data:last:{market}:ticker_v2").GetAwaiter().GetResult();
            return ticker != null && Encoding.UTF8.GetString(ticker) == _feed.Sent[market].Last(value => value.Contains("\"channel\":\"ticker_v2\"", StringComparison.Ordinal));
        }
    }

    private static long MarkedOffsets(RespConnection connection) => Enumerable.Range(0, 8).Sum(partition =>
        GetAsync(connection, $"market-data:relay:{partition}").GetAwaiter().GetResult() is { } mark ? long.Parse(Encoding.UTF8.GetString(mark).Split(' ')[0], CultureInfo.InvariantCulture) : 0);

    private static async Task<byte[]?> GetAsync(RespConnection connection, string key)
    {
        connection.Write("GET"u8, Encoding.UTF8.GetBytes(key));
        await connection.FlushAsync(TestContext.Current.CancellationToken);
        var reply = await connection.ReadAsync(TestContext.Current.CancellationToken);
        return reply.Kind == RespKind.Bulk ? reply.Data.ToArray() : null;
    }

    private static async Task SetAsync(RespConnection connection, string key, byte[] value)
    {
        connection.Write("SET"u8, Encoding.UTF8.GetBytes(key), value);
        await connection.FlushAsync(TestContext.Current.CancellationToken);
        (await connection.ReadAsync(TestContext.Current.CancellationToken)).ThrowIfError();
    }
}
