using MarketData.Tests.Unit.MockKalshi;

namespace MarketData.Tests.Reliability;

/// <summary>After a start the log goes on where it was, and gets only what is new.</summary>
[Collection("Topology")]
public sealed class RestoreTests : IAsyncLifetime
{
    private ReliabilityTopology _topology = null!;

    public async ValueTask InitializeAsync() => _topology = await ReliabilityTopology.StartAsync();

    public ValueTask DisposeAsync() => _topology.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task With_unchanged_books_no_snapshot_is_published_again_and_with_changed_ones_exactly_theirs(bool isKilled)
    {
        await BeginAsync();
        await EndAsync(isKilled);
        var before = new Dictionary<string, int>(_topology.Log.Snapshots);

        await StartAsync();
        Assert.Equal(before, _topology.Log.Snapshots);
        Assert.Equal(before.Count, await SkippedAsync());

        await EndAsync(isKilled);
        string[] changed = [.. before.Keys.Order().Take(3)];
        foreach (string ticker in changed) await _topology.BidAsync(ticker);
        await StartAsync();

        foreach (string ticker in changed) before[ticker]++;
        Assert.Equal(before, _topology.Log.Snapshots);
        Assert.Equal(before.Count - changed.Length, await SkippedAsync());
        Assert.Empty(_topology.Log.TakeFaults());
        Assert.Equal((0, 0), (_topology.Log.StaleMarkers, _topology.Log.StreamsBegunAgain));
    }

    [Fact]
    public async Task A_market_that_vanished_while_nobody_looked_has_a_stale_book_and_a_right_one_when_it_is_there_again()
    {
        await BeginAsync();
        await EndAsync(isKilled: true);
        string ticker = (await _topology.Exchange.TickersAsync())[0];
        int fault = await _topology.Exchange.AddFaultAsync($"hide-market:market={ticker}");

        await StartAsync();
        // Every place where its book stands says so.
        await _topology.BooksEqualTruthAsync();
        Assert.True(_topology.Log.BookOf(ticker)!.IsStale);
        Assert.Equal(1, _topology.Log.StaleMarkers);
        await Eventually.TrueAsync(async () => (await _topology.KeyAsync(ticker)).StartsWith("stale ", StringComparison.Ordinal), () => "the key says that the book is stale");
        await Eventually.TrueAsync(() => _topology.Client.BookOf(ticker).StartsWith("stale ", StringComparison.Ordinal), () => "the client knows that the book is stale");

        await _topology.Exchange.RemoveFaultAsync(fault);
        await _topology.BooksEqualTruthAsync();
        Assert.False(_topology.Log.BookOf(ticker)!.IsStale);
        Assert.Empty(_topology.Log.TakeFaults());
    }

    private async Task BeginAsync()
    {
        await _topology.RunIngestAsync();
        await using (var session = new BusySession(_topology.Exchange)) await session.GoOnAsync(100);
        await _topology.BooksEqualTruthAsync();
    }

    private Task EndAsync(bool isKilled) => isKilled ? _topology.KillIngestAsync(_topology.Ingest) : _topology.StopIngestAsync(_topology.Ingest);

    // Until all that the exchange sends at first is in the log.
    private async Task StartAsync()
    {
        await _topology.StartIngestAsync();
        await _topology.SoundAsync();
        int markets = (await _topology.Exchange.TickersAsync()).Length;
        await Eventually.TrueAsync(
            async () =>
            {
                var upstream = (await _topology.Ingest.StatsAsync()).GetProperty("upstream");
                return Count(upstream, "received", "orderbook_snapshot") == markets && Count(upstream, "published", "orderbook_snapshot") + Count(upstream, "skipped", "identical_snapshot") == markets
                    && upstream.GetProperty("acknowledged").GetInt64() == upstream.GetProperty("published").EnumerateObject().Sum(count => count.Value.GetInt64()) + upstream.GetProperty("booksMarkedStale").GetInt64();
            },
            () => $"every market's snapshot came:\n{_topology.Ingest.Output}");
        _topology.Log.Drain();
    }

    private async Task<long> SkippedAsync() => Count((await _topology.Ingest.StatsAsync()).GetProperty("upstream"), "skipped", "identical_snapshot");

    private static long Count(System.Text.Json.JsonElement upstream, string what, string name) =>
        upstream.GetProperty(what).TryGetProperty(name, out var count) ? count.GetInt64() : 0;
}
