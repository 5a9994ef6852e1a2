using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>The form that the first mock exchange documented (protocol reference, section 2.2, form B).</summary>
public class FlatDialectTests
{
    private const string Books = "\"orderbook_snapshot\",\"orderbook_delta\"";

    [Fact]
    public async Task A_book_built_from_flat_frames_equals_the_exchanges()
    {
        await using var exchange = await StartAsync();
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(SeedDialectTests.Subscribe(1, Books, tickers));
        var books = new ReadBooks();
        foreach (var frame in (await client.ReceiveAsync(500)).Skip(1)) books.Apply(frame);

        // Whoever joins makes everybody hear the snapshot again.
        await using var other = await exchange.ConnectAsync();
        await other.SendAsync(SeedDialectTests.Subscribe(1, "\"orderbook_delta\"", tickers));
        for (int snapshots = 0; snapshots < tickers.Length;)
        {
            var frame = await client.ReceiveAsync();
            if ((string)frame.Json["channel"]! != "orderbook_snapshot")
            {
                books.Apply(frame);
                continue;
            }

            books.AssertEqual(frame);
            snapshots++;
        }
    }

    [Fact]
    public async Task Acknowledgements_have_a_status_and_frames_a_channel()
    {
        await using var exchange = await StartAsync();
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();

        var ack = await client.AskAsync(SeedDialectTests.Subscribe(1, Books + ",\"ticker_v2\",\"trade\"", tickers));
        var frames = new Dictionary<string, JsonObject>();
        while (frames.Count < 4)
        {
            var json = (await client.ReceiveAsync()).Json.AsObject();
            frames[(string)json["channel"]!] = json;
        }

        Assert.Equal("""{"id":1,"status":"success","sids":["sub-1","sub-2","sub-3","sub-4"]}""", ack.Text);
        Assert.All(frames.Values, frame => Assert.Equal(["channel", "market_ticker", "seq", "data"], frame.Select(field => field.Key)));
        Assert.Equal(["yes", "no"], Data("orderbook_snapshot"));
        Assert.Equal(["side", "price", "delta"], Data("orderbook_delta"));
        Assert.Equal(["yes_bid", "yes_ask", "price", "volume_delta"], Data("ticker_v2"));
        Assert.Equal(["trade_id", "side", "price", "size", "timestamp"], Data("trade"));

        await client.SendAsync("""{"id":3,"cmd":"unsubscribe","params":{"sids":["sub-1","sub-2","sub-3","sub-4"]}}""");
        Assert.Equal("""{"id":3,"status":"success"}""", (await client.ReceiveUntilAsync(frame => frame.Id == 3))[^1].Text);

        IEnumerable<string> Data(string channel) => frames[channel]["data"]!.AsObject().Select(field => field.Key);
    }

    private static Task<MockExchange> StartAsync() => MockExchange.StartAsync("--dialect", "seed-flat", "--markets", "4", "--rate", "1000");
}
