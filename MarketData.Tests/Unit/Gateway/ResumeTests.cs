using System.Text;
using System.Text.Json;
using MarketData.Domain.Channels;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>A client that comes back goes on where it was, or is told what it has missed for good.</summary>
public sealed class ResumeTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    [Fact]
    public async Task A_book_goes_on_with_the_missed_changes_and_without_a_snapshot()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "RESUME-BOOK");
        await using var watching = await gateway.ConnectAsync();
        await watching.SubscribeAsync("RESUME-BOOK:orderbook_delta");
        await market.SubscribedAsync("orderbook_delta");
        var (book, watched) = (new ClientBook(), new ClientBook());
        await using (var first = await gateway.ConnectAsync())
        {
            await first.SubscribeAsync("RESUME-BOOK:orderbook_delta");
            await market.PublishAsync(market.Snapshot(), market.Delta());
            await book.FollowAsync(first, market);
        }

        var had = market.Book.Position;
        await market.PublishAsync(market.Delta(), market.Delta(), market.Delta());
        await watched.FollowAsync(watching, market);
        await using var second = await gateway.ConnectAsync();
        string point = $$"""{"streamSequence":{{had.Sequence}},"streamEpoch":{{had.Epoch}} }""";
        await second.SendAsync($$$"""{"action":"subscribe","resume":{"RESUME-BOOK:orderbook_delta":{{{point}}} } }""");
        await second.AnswerAsync("subscribed");
        await market.PublishAsync(market.Delta());
        int snapshots = book.Snapshots;
        await book.FollowAsync(second, market);
        Assert.Equal(snapshots, book.Snapshots);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("""{"streamSequence":1,"streamEpoch":99}""")]
    [InlineData("""{"streamSequence":1000,"streamEpoch":1}""")]
    public async Task A_book_that_cannot_go_on_begins_with_a_snapshot(string point)
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "RESUME-ANEW");
        await using var watching = await gateway.ConnectAsync();
        await watching.SubscribeAsync("RESUME-ANEW:orderbook_delta");
        await market.SubscribedAsync("orderbook_delta");
        await market.PublishAsync(market.Snapshot(), market.Delta());
        await new ClientBook().FollowAsync(watching, market);

        await using var client = await gateway.ConnectAsync();
        await client.SendAsync($$$"""{"action":"subscribe","channel":"RESUME-ANEW:orderbook_delta","resume":{"RESUME-ANEW:orderbook_delta":{{{point}}} } }""");
        await client.AnswerAsync("subscribed");
        var book = new ClientBook();
        await book.FollowAsync(client, market);
        Assert.Equal(1, book.Snapshots);
    }

    [Fact]
    public async Task Missed_trades_come_before_the_next_one_also_when_nobody_was_there_meanwhile()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "RESUME-TRADES");
        await using (var first = await gateway.ConnectAsync())
        {
            await first.SubscribeAsync("RESUME-TRADES:trade");
            await market.SubscribedAsync("trade");
            await market.PublishAsync(market.Other(MarketChannel.Trade), market.Other(MarketChannel.Trade));
            Assert.Equal([1, 2], await NumbersAsync(first, 2));
        }

        await market.PublishAsync(market.Other(MarketChannel.Trade), market.Other(MarketChannel.Trade), market.Other(MarketChannel.Trade));
        await using var second = await gateway.ConnectAsync();
        await second.SendAsync("""{"action":"subscribe","resume":{"RESUME-TRADES:trade":2}}""");
        Assert.Equal([3, 4, 5], await NumbersAsync(second, 3));
        await market.PublishAsync(market.Other(MarketChannel.Trade));
        Assert.Equal([6], await NumbersAsync(second, 1));
    }

    [Fact]
    public async Task The_last_trades_come_first_when_asked_for()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "HISTORY");
        await using var watching = await gateway.ConnectAsync();
        await watching.SubscribeAsync("HISTORY:trade");
        await market.SubscribedAsync("trade");
        await market.PublishAsync([.. Enumerable.Range(0, 5).Select(_ => market.Other(MarketChannel.Trade))]);
        await NumbersAsync(watching, 5);

        await using var client = await gateway.ConnectAsync();
        await client.SendAsync("""{"action":"subscribe","channel":"HISTORY:trade","history":3}""");
        Assert.Equal([3, 4, 5], await NumbersAsync(client, 3));
        await market.PublishAsync(market.Other(MarketChannel.Trade));
        Assert.Equal([6], await NumbersAsync(client, 1));
    }

    [Fact]
    public async Task Trades_from_before_the_gateway_followed_a_market_come_from_the_list_once_each_and_go_on_without_a_hole()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "PAST");
        byte[][] trades = [.. Enumerable.Range(0, 8).Select(_ => market.Other(MarketChannel.Trade))];
        await market.ListAsync([.. trades[..6], .. trades[3..6]]);

        await using var client = await gateway.ConnectAsync();
        await client.SendAsync("""{"action":"subscribe","channel":"PAST:trade","history":4}""");
        Assert.Equal([3, 4, 5, 6], await NumbersAsync(client, 4));

        await market.ListAsync(trades[6]);
        await market.PublishAsync(trades[6]);
        Assert.Equal([7], await NumbersAsync(client, 1));

        // The gateway has the seventh itself by now, and the list has it too.
        await using var second = await gateway.ConnectAsync();
        await second.SendAsync("""{"action":"subscribe","channel":"PAST:trade","history":100}""");
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], await NumbersAsync(second, 7));
        await market.PublishAsync(trades[7]);
        Assert.Equal([8], await NumbersAsync(client, 1));
        Assert.Equal([8], await NumbersAsync(second, 1));
    }

    [Fact]
    public async Task A_trade_that_is_listed_before_it_is_published_comes_once()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "EARLY");
        byte[][] trades = [.. Enumerable.Range(0, 4).Select(_ => market.Other(MarketChannel.Trade))];
        await market.ListAsync(trades[..3]);

        await using var watching = await gateway.ConnectAsync();
        await watching.SubscribeAsync("EARLY:trade");
        await market.SubscribedAsync("trade");
        await using var client = await gateway.ConnectAsync();
        await client.SendAsync("""{"action":"subscribe","channel":"EARLY:trade","history":2}""");
        Assert.Equal([2, 3], await NumbersAsync(client, 2));
        await market.PublishAsync(trades[2], trades[3]);

        Assert.Equal([4], await NumbersAsync(client, 1));
        // Who asked for nothing of the past gets what was published since it came.
        Assert.Equal([3, 4], await NumbersAsync(watching, 2));

        // Of what is listed and was not received yet nothing is past.
        var late = market.Other(MarketChannel.Trade);
        await market.ListAsync(trades[3], late);
        await using var second = await gateway.ConnectAsync();
        await second.SendAsync("""{"action":"subscribe","channel":"EARLY:trade","history":3}""");
        Assert.Equal([2, 3, 4], await NumbersAsync(second, 3));
        await market.PublishAsync(late);
        Assert.Equal([5], await NumbersAsync(second, 1));
    }

    [Fact]
    public async Task A_list_that_cannot_be_read_keeps_no_channel_from_going_on()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "BROKEN");
        redis.WriteSet(Encoding.UTF8.GetBytes(RedisNames.TradesKey("BROKEN")), "no list"u8, 3600);
        await redis.FlushAsync(TestContext.Current.CancellationToken);
        (await redis.ReadAsync(TestContext.Current.CancellationToken)).ThrowIfError();

        await using var client = await gateway.ConnectAsync();
        await client.SendAsync("""{"action":"subscribe","channel":"BROKEN:trade","history":5}""");
        await market.SubscribedAsync("trade");
        await market.PublishAsync(market.Other(MarketChannel.Trade), market.Other(MarketChannel.Trade));
        Assert.Equal([1, 2], await NumbersAsync(client, 2));
    }

    [Fact]
    public async Task A_channel_that_is_given_up_before_its_past_has_been_read_stays_given_up()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "FICKLE");
        await market.ListAsync(market.Other(MarketChannel.Trade), market.Other(MarketChannel.Trade));

        await using var client = await gateway.ConnectAsync();
        await client.SendAsync("""{"action":"subscribe","channel":"FICKLE:trade","history":2}""");
        await client.SendAsync("""{"action":"unsubscribe","channel":"FICKLE:trade"}""");
        await client.SendAsync("""{"action":"subscribe","channel":"FICKLE:trade","history":3}""");
        await client.AnswerAsync("subscribed");
        await client.AnswerAsync("unsubscribed");
        await client.AnswerAsync("subscribed");
        var last = market.Other(MarketChannel.Trade);
        await market.ListAsync(last);
        await market.PublishAsync(last);
        var numbers = new List<long>();
        do numbers.AddRange(await NumbersAsync(client, 1));
        while (numbers[^1] != 3);

        // The past of the first subscription comes before it ends, or not at all.
        Assert.True(numbers is [1, 2, 3] or [1, 2, 1, 2, 3], string.Join(' ', numbers));
    }

    [Fact]
    public async Task Messages_that_never_came_are_told_to_those_who_subscribe_them()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "LOST");
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync("LOST:trade");
        await market.SubscribedAsync("trade");
        await market.PublishAsync(market.Other(MarketChannel.Trade));
        await NumbersAsync(client, 1);
        market.Other(MarketChannel.Trade);
        market.Other(MarketChannel.Trade);
        await market.PublishAsync(market.Other(MarketChannel.Trade));

        var data = (await client.AnswerAsync("gap")).GetProperty("data");
        Assert.Equal("""{"channel":"trade","marketTicker":"LOST","missedFrom":2,"missedTo":3}""", data.GetRawText());
        Assert.Equal([4], await NumbersAsync(client, 1));
        Assert.True(await gateway.StatAsync("lostMessages") >= 2);

        // Whoever comes back for them is told the same.
        await using var second = await gateway.ConnectAsync();
        await second.SendAsync("""{"action":"subscribe","resume":{"LOST:trade":1}}""");
        await second.AnswerAsync("subscribed");
        Assert.Equal(4, (await second.AnswerAsync("gap")).GetProperty("data").GetProperty("missedTo").GetInt64());
    }

    [Fact]
    public async Task A_client_that_comes_and_goes_makes_no_more_channels_than_are_kept()
    {
        const int Kept = 10_000, Channels = Kept + 1000, InOneRequest = 100;
        await using var host = await GatewayHost.StartAsync("--Gateway:MessagesPerSecond=1000000", "--Gateway:LingerSeconds=3600");
        await using var redis = await host.ConnectRedisAsync();
        await using var client = await host.ConnectAsync();
        for (int i = 0; i < Channels; i += InOneRequest)
        {
            string[] channels = [.. Enumerable.Range(i, InOneRequest).Select(number => $"CHURN-{number}:trade")];
            foreach (string action in (string[])["subscribe", "unsubscribe"])
            {
                await client.AskAsync(action, channels);
                foreach (string _ in channels) await client.AnswerAsync($"{action}d");
            }
        }

        // The answers come before Redis has been told.
        (long, long) subscribers = default;
        await Eventually.TrueAsync(
            async () => (subscribers = (await SubscribersAsync(Channels - Kept - 1), await SubscribersAsync(Channels - Kept))) == (0, 1),
            () => $"the first of the channels are given up, the last {Kept} are kept: {subscribers}");

        async Task<long> SubscribersAsync(int number)
        {
            redis.Write("PUBSUB"u8, "NUMSUB"u8, Encoding.UTF8.GetBytes($"market-data:CHURN-{number}:trade"));
            await redis.FlushAsync(TestContext.Current.CancellationToken);
            return (await redis.ReadAsync(TestContext.Current.CancellationToken)).Items.Span[1].Number;
        }
    }

    [Theory]
    [InlineData("""{"action":"subscribe","resume":{"all":7}}""", "Cannot resume 'all': resume names {ticker}:{type} channels")]
    [InlineData("""{"action":"subscribe","resume":{"A:trade":-1}}""", "Cannot resume 'A:trade'")]
    [InlineData("""{"action":"subscribe","resume":{"A:trade":{"streamSequence":1}}}""", "Cannot resume 'A:trade'")]
    [InlineData("""{"action":"subscribe","resume":[1],"channel":"A:trade"}""", "resume names {ticker}:{type} channels")]
    [InlineData("""{"action":"subscribe","channel":"A:trade","history":101}""", "history must be a whole number of trades, 1 to 100, but is 101.")]
    [InlineData("""{"action":"subscribe","channel":"A:trade","history":"x"}""", "history must be a whole number of trades")]
    [InlineData(
        """{"action":"subscribe","channels":["A:trade","B:trade","C:trade","D:trade","E:trade","F:trade","G:trade","H:trade","I:trade","J:trade","K:trade"],"history":100}""",
        "history of 100 trades is 1100 for all channels together: at most 1000 in one request.")]
    [InlineData("""{"action":"subscribe","channel":"A:orderbook_delta","history":5}""", "history goes with a channel {ticker}:trade.")]
    public async Task What_cannot_be_resumed_is_refused_and_changes_nothing(string request, string error)
    {
        await using var client = await gateway.ConnectAsync();
        Assert.Contains(error, await client.ErrorOfAsync(request), StringComparison.Ordinal);
        await client.AskAsync("unsubscribe", "A:trade");
        await client.AnswerAsync("not_subscribed");
    }

    private static async Task<List<long>> NumbersAsync(GatewayConnection client, int count)
    {
        var numbers = new List<long>();
        while (numbers.Count < count)
        {
            JsonElement message = await client.NextAsync();
            if (message.TryGetProperty("streamSequence", out var number)) numbers.Add(number.GetInt64());
        }

        return numbers;
    }
}
