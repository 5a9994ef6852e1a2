using System.Net;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>What every REST call has in common: error shapes, caching, rate limits (protocol reference, section 3).</summary>
public class RestErrorTests
{
    [Theory]
    [InlineData("markets/orderbooks", "tickers")]
    [InlineData("markets/orderbooks?tickers=,", "tickers")]
    [InlineData("markets/trades?limit=1001", "limit")]
    [InlineData("markets/trades?min_ts=yesterday", "min_ts")]
    [InlineData("markets/trades?max_ts=1.5", "max_ts")]
    [InlineData("markets/trades?is_block_trade=perhaps", "is_block_trade")]
    [InlineData("markets/trades?cursor=S1hBTlk", "cursor")]
    [InlineData("markets?limit=1&limit=2", "limit")]
    [InlineData("markets?limit=99999999999999999999", "limit")]
    [InlineData("markets?min_updated_ts=1&min_settled_ts=1", "exclude each other")]
    [InlineData("markets/KXANY/orderbook?depth=ten", "depth")]
    [InlineData("markets/KXANY/orderbook?depth=-1", "depth")]
    [InlineData("events?limit=201", "limit")]
    [InlineData("events?status=active", "status")]
    [InlineData("events?with_nested_markets=2", "with_nested_markets")]
    [InlineData("events?with_milestones=2", "with_milestones")]
    [InlineData("events?min_close_ts=soon", "min_close_ts")]
    [InlineData("events?min_updated_ts=soon", "min_updated_ts")]
    [InlineData("events?cursor=*", "cursor")]
    [InlineData("events/KXANY?with_nested_markets=2", "with_nested_markets")]
    [InlineData("series?include_volume=2", "include_volume")]
    [InlineData("series?include_product_metadata=2", "include_product_metadata")]
    [InlineData("series?min_updated_ts=soon", "min_updated_ts")]
    [InlineData("series/KXANY?include_volume=2", "include_volume")]
    [InlineData("portfolio/orders?status=open", "status")]
    [InlineData("portfolio/orders?limit=1001", "limit")]
    [InlineData("portfolio/orders?min_ts=soon", "min_ts")]
    [InlineData("portfolio/orders?max_ts=soon", "max_ts")]
    [InlineData("portfolio/orders?cursor=S1hBTlk", "cursor")]
    [InlineData("portfolio/orders?subaccount=1", "subaccount")]
    [InlineData("portfolio/orders?exchange_index=1", "exchange_index")]
    [InlineData("portfolio/orders?event_ticker=1,2,3,4,5,6,7,8,9,10,11", "event_ticker")]
    public async Task A_bad_parameter_is_a_400_that_names_it(string path, string named)
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var answer = await exchange.AskAsync(path);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains(answer.Code, new[] { "bad_request", "missing_parameters" });
        Assert.Contains(named, answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hundred_and_one_books_at_once_are_too_many()
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var answer = await exchange.AskAsync($"markets/orderbooks?{string.Join('&', Enumerable.Range(0, 101).Select(i => $"tickers=KX{i}"))}");

        Assert.Equal((HttpStatusCode.BadRequest, "bad_request"), (answer.Status, answer.Code));
        Assert.Contains("at most 100, not 101", answer.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "nothing/here")]
    [InlineData("GET", "nothing.here")]
    [InlineData("POST", "markets")]
    [InlineData("DELETE", "portfolio/orders")]
    [InlineData("GET", "portfolio/nothing")]
    public async Task What_is_not_offered_is_a_404_that_names_method_and_path(string method, string path)
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var answer = await exchange.SendAsync(new HttpMethod(method), path);

        Assert.Equal((HttpStatusCode.NotFound, "not_found"), (answer.Status, answer.Code));
        Assert.Equal($"no such resource: {method} /trade-api/v2/{path}", answer.Message);
    }

    [Fact]
    public async Task Errors_have_the_nested_shape_of_live_servers()
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var answer = await exchange.AskAsync("markets/KXNOSUCH");

        Assert.Equal("""{"error":{"code":"not_found","message":"market not found: KXNOSUCH","service":"exchange"}}""", answer.Body.ToJsonString());
    }

    [Theory]
    [InlineData("markets")]
    [InlineData("exchange/status")]
    [InlineData("events")]
    public async Task Only_anonymous_market_data_may_be_cached(string path)
    {
        await using var exchange = await MockExchange.StartStillAsync();
        using var withKey = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "KALSHI-ACCESS-KEY", "somebody" } } };

        Assert.Equal("public, max-age=15", (await exchange.AskAsync(path)).CacheControl);
        Assert.Null((await exchange.SendAsync(withKey)).CacheControl);
        Assert.Null((await exchange.AskAsync("markets/KXNOSUCH")).CacheControl);
        Assert.Null((await exchange.AskAsync("portfolio/orders")).CacheControl);
    }

    [Fact]
    public async Task Too_many_reads_are_429_without_a_hint_and_without_a_penalty()
    {
        await using var exchange = await MockExchange.StartStillAsync("--RateLimit:ReadPerSecond", "2");

        using var refused = await StatusUntilAsync(exchange, HttpStatusCode.TooManyRequests);

        Assert.Equal("""{"error":"too many requests"}""", await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Null(refused.Headers.RetryAfter);
        Assert.DoesNotContain(refused.Headers, header => header.Key.StartsWith("X-RateLimit", StringComparison.OrdinalIgnoreCase));
        (await StatusUntilAsync(exchange, HttpStatusCode.OK)).Dispose();
    }

    [Fact]
    public async Task Writes_have_a_limit_of_their_own()
    {
        await using var exchange = await MockExchange.StartStillAsync("--RateLimit:WritePerSecond", "1");

        HttpStatusCode status;
        do
        {
            using var answer = await exchange.Http.PostAsync("portfolio/orders", new StringContent("{}"), TestContext.Current.CancellationToken);
            status = answer.StatusCode;
            Assert.Contains(status, new[] { HttpStatusCode.BadRequest, HttpStatusCode.TooManyRequests });
        }
        while (status != HttpStatusCode.TooManyRequests);

        Assert.Equal(HttpStatusCode.OK, (await exchange.AskAsync("exchange/status")).Status);
    }

    [Fact]
    public async Task Without_a_limit_nothing_is_refused()
    {
        await using var exchange = await MockExchange.StartStillAsync();

        for (int i = 0; i < 300; i++) Assert.Equal(HttpStatusCode.OK, (await exchange.AskAsync("exchange/status")).Status);
    }

    [Theory]
    [InlineData("--RateLimit:ReadPerSecond")]
    [InlineData("--RateLimit:WritePerSecond")]
    public void A_limit_below_zero_ends_the_start(string setting)
    {
        var failure = Assert.Throws<MarketData.MockKalshi.StartupException>(
            () => MarketData.MockKalshi.MockKalshiApplication.Build([$"{setting}=-1"]));

        Assert.Contains(setting[2..], failure.Message, StringComparison.Ordinal);
    }

    /// <summary>Calls until the answer comes; the test's own timeout ends the wait.</summary>
    private static async Task<HttpResponseMessage> StatusUntilAsync(MockExchange exchange, HttpStatusCode wanted)
    {
        while (true)
        {
            var answer = await exchange.Http.GetAsync("exchange/status", TestContext.Current.CancellationToken);
            if (answer.StatusCode == wanted) return answer;
            answer.Dispose();
        }
    }
}
