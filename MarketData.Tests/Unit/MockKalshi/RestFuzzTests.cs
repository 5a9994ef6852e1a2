using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>Random queries and mutated bodies: each is answered in JSON with a documented status, and nothing else changes.</summary>
public class RestFuzzTests
{
    private static readonly string[] Paths =
    [
        "markets", "markets/KXA", "markets/KXA/orderbook", "markets/orderbooks", "markets/trades", "events", "events/KXA", "series", "series/KXA",
        "exchange/status", "portfolio/orders", "portfolio/orders/KXA", "nothing.here",
    ];

    private static readonly string[] Names =
    [
        "limit", "cursor", "tickers", "ticker", "status", "depth", "event_ticker", "series_ticker", "min_ts", "max_close_ts", "min_updated_ts", "mve_filter",
        "with_nested_markets", "include_volume", "is_block_trade", "subaccount", "category",
    ];

    private static readonly string[] Values =
    [
        "", "0", "-1", "1", "1001", "99999999999999999999", "1e3", "open", "active", "true", "null", "%00", "%FF", "%", "a,b,,c", "KXA", "S1hB", "*", "😀", "'\"<>",
    ];

    private static readonly string[] Orders =
    [
        """{"ticker":"KXNOSUCH","side":"yes","action":"buy","count":1,"yes_price":50,"time_in_force":"fill_or_kill","client_order_id":"a"}""",
        """{"ticker":"KXNOSUCH","side":"bid","count":"1.00","price":"0.5000","time_in_force":"good_till_canceled","self_trade_prevention_type":"maker"}""",
    ];

    private static readonly HttpStatusCode[] Documented = [HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.NotFound];

    private static int Rounds => Environment.GetEnvironmentVariable("MARKETDATA_SOAK") == "1" ? 200_000 : 2_000;

    [Fact]
    public async Task No_query_or_body_brings_anything_but_a_documented_answer()
    {
        int seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var exchange = await MockExchange.StartStillAsync();
        string before = await exchange.Http.GetStringAsync("events?with_nested_markets=true", TestContext.Current.CancellationToken);

        for (int i = 0; i < Rounds; i++)
        {
            using var request = random.Next(2) == 0 ? Query(random) : Order(random);
            using var answer = await exchange.Http.SendAsync(request, TestContext.Current.CancellationToken);
            string body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True(Documented.Contains(answer.StatusCode), $"seed {seed}, round {i}: {answer.StatusCode} {body} to {request.Method} {request.RequestUri}");
            Assert.NotNull(JsonNode.Parse(body));
        }

        Assert.Equal(before, await exchange.Http.GetStringAsync("events?with_nested_markets=true", TestContext.Current.CancellationToken));
        Assert.Empty((await exchange.GetAsync("portfolio/orders"))["orders"]!.AsArray());
    }

    private static HttpRequestMessage Query(Random random)
    {
        var query = new StringBuilder(Pick(random, Paths)).Append('?');
        for (int i = random.Next(4); i > 0; i--) query.Append(Pick(random, Names)).Append('=').Append(Pick(random, Values)).Append('&');
        return new HttpRequestMessage(HttpMethod.Get, new Uri(query.ToString(), UriKind.Relative));
    }

    private static HttpRequestMessage Order(Random random)
    {
        byte[] body = Encoding.UTF8.GetBytes(Pick(random, Orders));
        for (int i = random.Next(4); i > 0; i--) body[random.Next(body.Length)] = (byte)random.Next(256);
        int length = random.Next(8) == 0 ? random.Next(body.Length) : body.Length;
        return new HttpRequestMessage(HttpMethod.Post, random.Next(2) == 0 ? "portfolio/orders" : "portfolio/events/orders")
        {
            Content = new ByteArrayContent(body, 0, length),
        };
    }

    private static T Pick<T>(Random random, T[] choices) => choices[random.Next(choices.Length)];
}
