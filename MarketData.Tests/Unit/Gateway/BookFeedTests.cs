using MarketData.Domain.Channels;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>What a client's book is made of: snapshot first, then every delta, whatever happens between exchange and gateway.</summary>
public sealed class BookFeedTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    [Theory]
    [InlineData("orderbook_delta")]
    [InlineData("*")]
    [InlineData("all")]
    public async Task A_late_joiner_gets_the_snapshot_of_the_key_then_every_delta(string kind)
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, $"LATE-{(kind == "*" ? "STAR" : kind)}");
        market.Snapshot();
        for (int i = 0; i < 20; i++) market.Delta();
        await market.WriteKeyAsync();
        await using var client = await gateway.ConnectAsync();

        await client.SubscribeAsync(kind switch { "all" => "all", "*" => "*:orderbook_delta", _ => $"{market.Ticker}:{kind}" });
        var book = new ClientBook();
        await FollowAsync(client, book, market);
        for (int i = 0; i < 200; i++) await market.PublishAsync(market.Delta());
        await FollowAsync(client, book, market);

        Assert.Equal(1, book.Snapshots);
    }

    [Fact]
    public async Task Random_streams_of_several_markets_arrive_at_several_clients_as_they_were_published()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var markets = Enumerable.Range(0, 5).Select(i => new MarketSource(redis, $"RANDOM-{i}", seed: i)).ToList();
        foreach (var market in markets) await market.PublishAsync(market.Snapshot());
        foreach (var market in markets) await market.WriteKeyAsync();
        await using var first = await gateway.ConnectAsync();
        await using var second = await gateway.ConnectAsync();
        await first.SubscribeAsync([.. markets.Select(market => $"{market.Ticker}:orderbook_delta")]);

        var random = new Random(7);
        for (int i = 0; i < 2000; i++)
        {
            var market = markets[random.Next(markets.Count)];
            await market.PublishAsync(random.Next(100) == 0 ? market.Snapshot() : market.Delta());
            if (i % 50 == 0) await market.WriteKeyAsync();
            if (i == 1000) await second.SubscribeAsync("all");
        }

        foreach (var market in markets) await market.WriteKeyAsync();
        foreach (var client in (GatewayConnection[])[first, second])
        {
            var books = markets.ToDictionary(market => market.Ticker, _ => new ClientBook());
            while (markets.Any(market => books[market.Ticker].Position != market.Book.Position))
            {
                var message = await client.NextBytesAsync();
                var ticker = TickerOf(message);
                if (books.TryGetValue(ticker, out var book)) book.Take(message);
            }

            Assert.All(markets, market => Assert.Equal(market.BookText, books[market.Ticker].Text));
        }
    }

    [Fact]
    public async Task A_message_published_between_the_subscription_and_the_reading_of_the_key_is_not_missed()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "BETWEEN");
        await using var client = await gateway.ConnectAsync();
        market.Snapshot();
        var old = market.KeyValue();
        await client.SubscribeAsync("BETWEEN:orderbook_delta");
        await market.SubscribedAsync("orderbook_delta");

        // The gateway holds these until a key comes that they follow on, or that has them.
        await market.PublishAsync(market.Delta(), market.Delta());
        await market.WriteKeyAsync(old);

        await FollowAsync(client, new ClientBook(), market);
    }

    [Fact]
    public async Task A_message_published_before_the_subscription_is_found_in_the_key_that_is_written_late()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "BEFORE");
        market.Snapshot();
        await market.WriteKeyAsync();
        market.Delta();
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync("BEFORE:orderbook_delta");
        var book = new ClientBook();
        book.Take(await client.NextBytesAsync());
        Assert.NotEqual(market.Book.Position, book.Position);

        await market.WriteKeyAsync();

        await FollowAsync(client, book, market);
    }

    [Fact]
    public async Task A_market_without_a_key_begins_with_its_first_snapshot_or_its_first_key()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var (bySnapshot, byKey) = (new MarketSource(redis, "NEW-1"), new MarketSource(redis, "NEW-2"));
        await using var client = await gateway.ConnectAsync();
        await using var quiet = await gateway.ConnectAsync();
        await client.SubscribeAsync("NEW-1:orderbook_delta");
        await quiet.SubscribeAsync("NEW-2:orderbook_delta");
        await bySnapshot.SubscribedAsync("orderbook_delta");
        await quiet.PingAsync();

        var snapshot = bySnapshot.Snapshot();
        await bySnapshot.PublishAsync(snapshot);
        byKey.Snapshot();
        await byKey.WriteKeyAsync();

        Assert.Equal(snapshot, await client.NextBytesAsync());
        await FollowAsync(quiet, new ClientBook(), byKey);
    }

    [Fact]
    public async Task A_hole_in_what_Redis_delivers_leads_to_a_fresh_snapshot()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "HOLE");
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync("HOLE:orderbook_delta");
        await market.SubscribedAsync("orderbook_delta");
        await market.PublishAsync(market.Snapshot());
        await market.WriteKeyAsync();
        var book = new ClientBook();
        await FollowAsync(client, book, market);
        await ConfirmAsync(client, book, market);
        long repairs = await gateway.StatAsync("repairs");

        for (int i = 0; i < 3; i++) market.Delta();
        await market.PublishAsync(market.Delta());
        await market.WriteKeyAsync();
        await FollowAsync(client, book, market);
        await market.PublishAsync(market.Delta());
        await FollowAsync(client, book, market);

        Assert.True(book.Snapshots >= 2);
        Assert.True(await gateway.StatAsync("repairs") > repairs);
    }

    [Fact]
    public async Task The_last_messages_before_a_silence_are_not_missed_either()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "SILENCE");
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync("SILENCE:orderbook_delta");
        await market.SubscribedAsync("orderbook_delta");
        await market.PublishAsync(market.Snapshot());
        var book = new ClientBook();
        await FollowAsync(client, book, market);

        market.Delta();
        await market.WriteKeyAsync();

        await FollowAsync(client, book, market);
    }

    [Fact]
    public async Task A_message_that_breaks_the_book_is_repaired_by_the_next_snapshot()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "POISON");
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync("POISON:orderbook_delta");
        await market.SubscribedAsync("orderbook_delta");
        await market.PublishAsync(market.Snapshot());
        await market.WriteKeyAsync();
        var book = new ClientBook();
        await FollowAsync(client, book, market);

        var poison = System.Text.Encoding.UTF8.GetString(market.Delta());
        await market.PublishAsync(System.Text.Encoding.UTF8.GetBytes(poison.Replace("\"delta_fp\":\"", "\"delta_fp\":\"x", StringComparison.Ordinal)));
        await market.PublishAsync(market.Delta(), market.Snapshot(), market.Delta());

        await FollowAsync(client, book, market);
    }

    [Fact]
    public async Task A_new_epoch_begins_with_its_snapshot()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "EPOCH");
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync("EPOCH:orderbook_delta", "EPOCH:trade");
        await market.SubscribedAsync("trade");
        await market.PublishAsync(market.Snapshot(), market.Delta(), market.Delta());
        await market.WriteKeyAsync();
        var book = new ClientBook();
        await FollowAsync(client, book, market);

        market.BeginEpoch();
        await market.PublishAsync(market.Snapshot());
        for (int i = 0; i < 10; i++) await market.PublishAsync(market.Delta());
        await FollowAsync(client, book, market);
        market.BeginEpoch();
        market.Snapshot();
        await market.WriteKeyAsync();
        await market.PublishAsync(market.Delta());
        await market.WriteKeyAsync();

        await FollowAsync(client, book, market);
    }

    [Fact]
    public async Task What_the_relay_publishes_again_is_delivered_once()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "REPEAT");
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync("REPEAT:orderbook_delta", "REPEAT:trade");
        await market.SubscribedAsync("trade");
        byte[][] sent = [market.Snapshot(), market.Delta(), market.Other(MarketChannel.Trade), market.Delta(), market.Other(MarketChannel.Trade)];
        await market.WriteKeyAsync();

        await market.PublishAsync(sent);
        await market.PublishAsync(sent);
        var last = market.Delta();
        await market.PublishAsync(last);

        var received = new List<byte[]>();
        do received.Add(await client.NextBytesAsync());
        while (!received[^1].AsSpan().SequenceEqual(last));
        var book = new ClientBook();
        foreach (var message in received.Where(message => IsBook(message))) book.Take(message);
        Assert.Equal([sent[2], sent[4]], received.Where(message => !IsBook(message)));
        Assert.Equal(market.BookText, book.Text);
    }

    [Fact]
    public async Task A_snapshot_channel_carries_snapshots_only()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "ONLY");
        market.Snapshot();
        await market.WriteKeyAsync();
        await using var client = await gateway.ConnectAsync();
        await client.SubscribeAsync("ONLY:orderbook_snapshot");
        Assert.Equal(MarketChannel.OrderbookSnapshot, Domain.Reading.Envelope(await client.NextBytesAsync()).Channel);

        await market.PublishAsync(market.Delta(), market.Delta());
        var snapshot = market.Snapshot();
        await market.PublishAsync(snapshot);

        Assert.Equal(snapshot, await client.NextBytesAsync());
    }

    [Fact]
    public async Task A_client_that_joins_a_market_others_have_gets_the_snapshot_at_once_and_alone()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        var market = new MarketSource(redis, "JOIN");
        await using var first = await gateway.ConnectAsync();
        await using var second = await gateway.ConnectAsync();
        await first.SubscribeAsync("JOIN:orderbook_delta");
        await market.SubscribedAsync("orderbook_delta");
        await market.PublishAsync(market.Snapshot(), market.Delta());
        var (firstBook, secondBook) = (new ClientBook(), new ClientBook());
        await FollowAsync(first, firstBook, market);

        await second.SubscribeAsync("JOIN:orderbook_delta");
        await FollowAsync(second, secondBook, market);
        var delta = market.Delta();
        await market.PublishAsync(delta);

        Assert.Equal(delta, await first.NextBytesAsync());
        Assert.Equal(delta, await second.NextBytesAsync());
    }

    [Fact]
    public async Task Leaving_and_returning_again_and_again_never_breaks_a_book()
    {
        await using var redis = await gateway.ConnectRedisAsync();
        await using var writing = await gateway.ConnectRedisAsync();
        var market = new MarketSource(writing, "FLAP");
        await market.PublishAsync(market.Snapshot());
        await market.WriteKeyAsync();
        await using var client = await gateway.ConnectAsync();
        using var done = new CancellationTokenSource();
        var publishing = Task.Run(
            async () =>
            {
                while (!done.IsCancellationRequested)
                {
                    await market.PublishAsync(market.Delta());
                    await market.WriteKeyAsync();
                }
            },
            TestContext.Current.CancellationToken);

        var channels = new[] { "FLAP:orderbook_delta", "*:orderbook_delta", "all" };
        var random = new Random(3);
        var books = new ClientBook();
        for (int round = 0; round < 60; round++)
        {
            var channel = channels[random.Next(channels.Length)];
            await client.AskAsync("subscribe", channel);
            for (int i = random.Next(4); i > 0; i--) books = TakeBook(books, await client.NextBytesAsync());
            await client.AskAsync("unsubscribe", channel);
        }

        await done.CancelAsync();
        await publishing;
        await client.AskAsync("subscribe", "FLAP:orderbook_delta");
        while (books.Position != market.Book.Position) books = TakeBook(books, await client.NextBytesAsync());
        Assert.Equal(market.BookText, books.Text);

        // A new subscription begins a new book: what was before it has nothing to do with what comes.
        static ClientBook TakeBook(ClientBook book, byte[] message)
        {
            var text = System.Text.Encoding.UTF8.GetString(message);
            if (text.StartsWith("{\"type\":\"subscribed\"", StringComparison.Ordinal)) return new ClientBook();
            if (text.StartsWith("{\"type\":", StringComparison.Ordinal) || !text.Contains("\"FLAP\"", StringComparison.Ordinal)) return book;
            book.Take(message);
            return book;
        }
    }

    // Until a delta arrives as such: the snapshot may be given twice at first.
    private static async Task ConfirmAsync(GatewayConnection client, ClientBook book, MarketSource market)
    {
        int snapshots;
        do
        {
            snapshots = book.Snapshots;
            await market.PublishAsync(market.Delta());
            await market.WriteKeyAsync();
            await FollowAsync(client, book, market);
        }
        while (book.Snapshots > snapshots);
    }

    private static bool IsBook(byte[] message) => Domain.Reading.Envelope(message).Channel.Stream() == StreamKind.OrderBook;

    private static string TickerOf(byte[] message) => System.Text.Encoding.UTF8.GetString(Domain.Reading.Envelope(message).Ticker.Of(message));

    // Other tests share the gateway, and their messages come to wildcards.
    private static async Task FollowAsync(GatewayConnection client, ClientBook book, MarketSource market)
    {
        while (book.Position != market.Book.Position)
        {
            var message = await client.NextBytesAsync();
            if (TickerOf(message) == market.Ticker && IsBook(message)) book.Take(message);
        }

        Assert.Equal(market.BookText, book.Text);
    }
}
