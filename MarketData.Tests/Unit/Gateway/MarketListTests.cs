using System.Net;
using System.Text;
using MarketData.Domain.Channels;

namespace MarketData.Tests.Unit.Gateway;

/// <summary><c>GET /api/markets</c>: search and pages.</summary>
public sealed class MarketListTests(GatewayHost gateway) : IClassFixture<GatewayHost>, IAsyncLifetime
{
    private static readonly string[] Tickers = ["KXBTC-1", "KXBTC-2", "KXETH-1", "KXETH-2", "OTHER"];

    public async ValueTask InitializeAsync()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        foreach (var ticker in Tickers) redis.WriteSet(Encoding.UTF8.GetBytes(RedisNames.SnapshotKey(ticker)), "{}"u8, 3600);
        await redis.FlushAsync(TestContext.Current.CancellationToken);
        foreach (var _ in Tickers) (await redis.ReadAsync(TestContext.Current.CancellationToken)).ThrowIfError();
        await Eventually.TrueAsync(async () => (await PageAsync("")).Tickers.Length == Tickers.Length, () => "all markets");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task All_markets_come_sorted_on_one_page()
    {
        var (tickers, cursor) = await PageAsync("");

        Assert.Equal(Tickers, tickers);
        Assert.Null(cursor);
    }

    [Theory]
    [InlineData("btc", "KXBTC-1", "KXBTC-2")]
    [InlineData("-2", "KXBTC-2", "KXETH-2")]
    [InlineData("nothing")]
    public async Task Search_finds_a_part_of_the_ticker_in_any_case(string search, params string[] found)
    {
        Assert.Equal(found, (await PageAsync($"?search={search}")).Tickers);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task The_cursor_leads_from_page_to_page_until_all_have_come_once(int limit)
    {
        var seen = new List<string>();
        string? cursor = "";
        for (int page = 0; cursor != null; page++)
        {
            Assert.True(page <= Tickers.Length);
            (var tickers, cursor) = await PageAsync($"?limit={limit}&cursor={cursor}");
            Assert.True(tickers.Length <= limit);
            seen.AddRange(tickers);
        }

        Assert.Equal(Tickers, seen);
    }

    [Fact]
    public async Task A_page_of_a_search_goes_on_within_the_search()
    {
        var (first, cursor) = await PageAsync("?search=eth&limit=1");
        var (second, end) = await PageAsync($"?search=eth&limit=1&cursor={cursor}");

        Assert.Equal(["KXETH-1", "KXETH-2"], [.. first, .. second]);
        Assert.Null(end);
    }

    [Theory]
    [InlineData("limit=0", "limit is '0'")]
    [InlineData("limit=-1", "limit is '-1'")]
    [InlineData("limit=10001", "limit is '10001'")]
    [InlineData("limit=ten", "limit is 'ten'")]
    [InlineData("limit=99999999999999999999", "limit is '9999")]
    [InlineData("limit=", "limit is ''")]
    [InlineData("limit=1&limit=2", "limit is given 2 times")]
    [InlineData("search=a&search=b", "search is given 2 times")]
    public async Task A_bad_value_is_a_400_that_names_it(string query, string error)
    {
        var refusal = await HttpRefusal.ReadAsync(await gateway.Http.GetAsync($"/api/markets?{query}", TestContext.Current.CancellationToken));

        Assert.Equal(HttpStatusCode.BadRequest, refusal.Status);
        Assert.StartsWith(error, refusal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_search_longer_than_any_ticker_is_a_400()
    {
        var refusal = await HttpRefusal.ReadAsync(await gateway.Http.GetAsync($"/api/markets?search={new string('x', 257)}", TestContext.Current.CancellationToken));

        Assert.Equal((HttpStatusCode.BadRequest, "search has 257 characters: a ticker has 256 at most."), (refusal.Status, refusal.Error));
    }

    private async Task<(string[] Tickers, string? Cursor)> PageAsync(string query)
    {
        var page = await gateway.GetAsync("/api/markets" + query);
        return ([.. page.GetProperty("markets").EnumerateArray().Select(market => market.GetProperty("ticker").GetString()!)], page.GetProperty("cursor").GetString());
    }
}
