using System.Globalization;
using System.Text.Json.Nodes;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>What a client may conclude from book frames and their numbers (protocol reference, sections 1.9 and 1.11).</summary>
public class BookSemanticsTests
{
    [Fact]
    public async Task One_count_runs_over_everything_of_a_subscription_while_commands_and_changes_interleave()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "5000", "--markets", "8");
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, tickers[..4]));
        var books = new ReadBooks();
        var kinds = new HashSet<(string, bool Answer)>();
        long seq = 0;

        for (int round = 0; round < 20; round++)
        {
            await client.SendAsync(CommandTests.Update(10, "add_markets", tickers[4..]));
            await client.SendAsync(CommandTests.Update(11, "get_snapshot", tickers[..2]));
            await client.SendAsync(CommandTests.Update(12, "delete_markets", tickers[4..]));
            foreach (var frame in await client.ReceiveAsync(200))
            {
                kinds.Add((frame.Type, frame.Id is not null));
                if (frame.Type == "subscribed") continue;
                Assert.Equal((1, ++seq), (frame.Sid!.Value, frame.Seq!.Value));
                // An answer to get_snapshot stands at its place in the stream, so it is what the deltas before it made.
                if (frame is { Type: "orderbook_snapshot", Id: not null }) books.AssertEqual(frame);
                else books.Apply(frame);
            }
        }

        Assert.Superset(
            new HashSet<(string, bool)> { ("ok", true), ("orderbook_snapshot", true), ("orderbook_snapshot", false), ("orderbook_delta", false) }, kinds);
    }

    [Fact]
    public async Task With_yes_prices_the_book_is_the_same_after_conversion()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "3000", "--markets", "4", "--seed", "5");
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, tickers).Replace("\"channels\"", "\"use_yes_price\":true,\"channels\"", StringComparison.Ordinal));
        var asks = new Dictionary<string, SortedDictionary<decimal, decimal>>();
        var frames = await client.ReceiveAsync(1000);

        // The NO side as the client sees it is the YES asks; a fresh snapshot at the end must agree with what the deltas made of them.
        foreach (var frame in frames) ApplyAsks(asks, frame);
        await client.SendAsync(CommandTests.Update(2, "get_snapshot", tickers[0]));
        var rest = await client.ReceiveUntilAsync(frame => frame.Id == 2);
        foreach (var frame in rest.SkipLast(1)) ApplyAsks(asks, frame);
        var built = asks[tickers[0]].ToArray();
        ApplyAsks(asks, rest[^1]);

        Assert.Equal(asks[tickers[0]], built);
        string[] order = rest[^1].Message["no_dollars_fp"]!.AsArray().Select(level => (string)level![0]!).ToArray();
        Assert.Equal(order.OrderDescending(StringComparer.Ordinal), order);
    }

    [Fact]
    public async Task A_second_subscribe_keeps_the_prices_of_the_first()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        string[] tickers = (await exchange.TickersAsync())[..2];
        await using var client = await exchange.ConnectAsync();
        await CommandTests.SubscribeToBooksAsync(client, tickers[0]);

        await client.SendAsync(CommandTests.Subscribe(2, tickers[1]).Replace("\"channels\"", "\"use_yes_price\":true,\"channels\"", StringComparison.Ordinal));
        var frames = await client.ReceiveAsync(2);

        string[] order = frames[1].Message["no_dollars_fp"]!.AsArray().Select(level => (string)level![0]!).ToArray();
        Assert.Equal(order.Order(StringComparer.Ordinal), order);
    }

    [Fact]
    public async Task A_snapshot_of_an_unknown_market_can_be_asked_for_too()
    {
        await using var exchange = await MockExchange.StartStillAsync();
        await using var client = await exchange.ConnectAsync();
        await CommandTests.SubscribeToBooksAsync(client, (await exchange.TickersAsync())[0]);

        var snapshot = await client.AskAsync(CommandTests.Update(4, "get_snapshot", "KXNOSUCH-26NOV22-T1"));

        Assert.Equal(
            """{"id":4,"type":"orderbook_snapshot","sid":1,"seq":2,"msg":{"market_ticker":"KXNOSUCH-26NOV22-T1","market_id":""}}""", snapshot.Text);
    }

    [Fact]
    public async Task Several_changes_of_a_busy_market_make_one_ticker_frame()
    {
        await using var exchange = await MockExchange.StartAsync("--rate", "5000", "--markets", "1");
        string ticker = (await exchange.TickersAsync())[0];
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, ticker).Replace("\"orderbook_delta\"", "\"orderbook_delta\",\"ticker\"", StringComparison.Ordinal));

        var types = (await client.ReceiveAsync(2000)).Select(frame => frame.Type).ToList();

        Assert.Contains("ticker", types);
        Assert.True(types.Count(type => type == "ticker") * 10 < types.Count(type => type == "orderbook_delta"));
    }

    [Fact]
    public async Task Fractional_contracts_and_prices_below_a_cent_occur()
    {
        await using var exchange = await MockExchange.StartStillAsync("--markets", "60");
        await using var client = await exchange.ConnectAsync();
        var snapshots = (await CommandTests.SubscribeToBooksAsync(client, await exchange.TickersAsync())).Skip(1);

        var levels = snapshots.SelectMany(frame => new[] { "yes_dollars_fp", "no_dollars_fp" }.SelectMany(side => frame.Message[side]!.AsArray())).ToList();

        Assert.Contains(levels, level => !((string)level![0]!).EndsWith("00", StringComparison.Ordinal));
        Assert.Contains(levels, level => !((string)level![1]!).EndsWith(".00", StringComparison.Ordinal));
    }

    private static void ApplyAsks(Dictionary<string, SortedDictionary<decimal, decimal>> asks, Frame frame)
    {
        if (frame.Type == "orderbook_snapshot")
        {
            asks[frame.Ticker!] = [];
            foreach (var level in frame.Message["no_dollars_fp"]!.AsArray()) asks[frame.Ticker!][Decimal(level![0]!)] = Decimal(level[1]!);
        }
        else if (frame.Type == "orderbook_delta" && (string)frame.Message["side"]! == "no")
        {
            decimal price = Decimal(frame.Message["price_dollars"]!);
            decimal count = asks[frame.Ticker!].GetValueOrDefault(price) + Decimal(frame.Message["delta_fp"]!);
            if (count == 0) asks[frame.Ticker!].Remove(price);
            else asks[frame.Ticker!][price] = count;
        }
    }

    private static decimal Decimal(JsonNode text) => decimal.Parse((string)text!, CultureInfo.InvariantCulture);
}
