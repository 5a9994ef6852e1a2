using System.Net;
using System.Text.Json;
using MarketData.Domain.Channels;

namespace MarketData.Tests.Unit.Gateway;

public sealed class HttpEndpointTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    [Fact]
    public async Task Health_tells_Redis_the_feed_and_Kafka_apart()
    {
        await Eventually.TrueAsync(() => gateway.HealthAsync("feed").GetAwaiter().GetResult() == "Healthy", TimeSpan.FromSeconds(60), () => "a healthy feed");

        using var health = await gateway.Http.GetAsync("/health", TestContext.Current.CancellationToken);
        using var alive = await gateway.Http.GetAsync("/alive", TestContext.Current.CancellationToken);

        // Kafka is down in these tests.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        Assert.Equal("Healthy", await gateway.HealthAsync("redis"));
        Assert.Equal("Unhealthy", await gateway.HealthAsync("kafka"));
    }

    [Fact]
    public async Task Stats_count_clients_and_messages()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "STATS");
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync("STATS:trade");
        await market.SubscribedAsync("trade");
        await market.PublishAsync(market.Other(MarketChannel.Trade));
        await client.NextBytesAsync();

        var stats = await gateway.GetAsync("/stats");
        // The client may have read the message before its sender has counted it.
        await Eventually.TrueAsync(
            async () => (stats = await gateway.GetAsync("/stats")).GetProperty("latencyMs").GetProperty("count").GetInt64() > 0, () => "the message is counted");

        Assert.Equal(
            [
                "clients", "subscriptions", "messagesReceived", "messagesSent", "bytesSent", "conflations", "slowClientsClosed", "closed", "refused", "repairs", "lostMessages",
                "unreadableMessages", "privateMessages", "ioUring", "latencyMs",
            ],
            stats.EnumerateObject().Select(property => property.Name));
        Assert.Equal(1, stats.GetProperty("clients").GetInt64());
        Assert.Equal(1, stats.GetProperty("subscriptions").GetInt64());
        Assert.Equal(1, stats.GetProperty("messagesReceived").GetInt64());
        Assert.True(stats.GetProperty("bytesSent").GetInt64() > 0);
        Assert.Equal(1, stats.GetProperty("latencyMs").GetProperty("count").GetInt64());
    }

    [Fact]
    public async Task A_connection_that_ended_is_counted_by_its_close_code_and_its_subscriptions_no_more()
    {
        await using var host = await GatewayHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SubscribeAsync("GONE:trade", "*:trade");
        Assert.Equal(2, await host.StatAsync("subscriptions"));

        await client.CloseAsync();
        await client.ClosedAsync();

        await Eventually.TrueAsync(async () => await host.StatAsync("clients") == 0, () => "a gateway without clients");
        Assert.Equal(0, await host.StatAsync("subscriptions"));
        Assert.Equal(1, (await host.GetAsync("/stats")).GetProperty("closed").GetProperty("1000").GetInt64());
    }

    [Fact]
    public async Task Markets_are_those_with_a_snapshot_key_and_a_book_is_read_from_it()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "BOOK-1");
        market.Snapshot();
        for (int i = 0; i < 30; i++) market.Delta();
        await market.WriteKeyAsync();

        var markets = await gateway.GetAsync("/api/markets");
        var book = await gateway.GetAsync("/api/markets/BOOK-1/book");

        Assert.Equal(["BOOK-1"], markets.GetProperty("markets").EnumerateArray().Select(entry => entry.GetProperty("ticker").GetString()));
        Assert.Equal(["ticker", "yes", "no", "streamSequence", "streamEpoch", "sequence", "stale"], book.EnumerateObject().Select(property => property.Name));
        Assert.Equal(("BOOK-1", 31, 1), (book.GetProperty("ticker").GetString(), book.GetProperty("streamSequence").GetInt64(), book.GetProperty("streamEpoch").GetInt64()));
        Assert.Equal(market.BookText, $"yes{Levels(book.GetProperty("yes"))} no{Levels(book.GetProperty("no"))}");
    }

    [Theory]
    [InlineData("UNKNOWN")]
    [InlineData("%0d%0aX")]
    [InlineData("*")]
    public async Task The_book_of_an_unknown_market_is_a_404_that_says_so(string ticker)
    {
        using var response = await gateway.Http.GetAsync($"/api/markets/{ticker}/book", TestContext.Current.CancellationToken);
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.StartsWith("No book of market", body.RootElement.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    // "0.4800" and "12.00" as the book's own units, 1/10,000 dollar and 1/100 contract.
    private static string Levels(JsonElement side) => string.Concat(side.EnumerateArray().Select(level =>
        $" {decimal.Parse(level[0].GetString()!) * 10_000:0}:{decimal.Parse(level[1].GetString()!) * 100:0}"));
}
