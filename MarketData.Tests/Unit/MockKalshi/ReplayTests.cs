using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>Playing a recorded session.</summary>
public sealed partial class ReplayTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mock-kalshi-");

    // Two markets on the book sid, trades, a ticker, a private frame and the recorded client's own acks; keys in several orders,
    // odd spacing and unknown fields, as nothing of it may change.
    private static readonly string[] Session =
    [
        """{"type":"subscribed","id":2,"msg":{"channel":"orderbook_delta","sid":7}}""",
        """{"type":"ok","id":6,"sid":7,"seq":41,"msg":{"market_tickers":["KXA-1","KXB-2"]}}""",
        """{"type":"orderbook_snapshot","sid":7,"seq":42,"msg":{"market_ticker":"KXA-1","market_id":"11111111-1111-1111-1111-111111111111","yes_dollars_fp":[["0.0100","5.00"],["0.4000","10.00"]],"no_dollars_fp":[["0.5000","20.00"],["0.5500","1.50"]]}}""",
        """{"type":"orderbook_snapshot","sid":7,"seq":43,"msg":{"market_ticker":"KXB-2","market_id":"22222222-2222-2222-2222-222222222222"}}""",
        """{"type":"orderbook_delta","sid":7,"seq":44,"msg":{"market_ticker":"KXA-1","market_id":"11111111-1111-1111-1111-111111111111","price_dollars":"0.4000","delta_fp":"-4.00","side":"yes","ts_ms":1000}}""",
        """{"msg":{"ts_ms":1000,"market_ticker":"KXB-2","market_id":"22222222-2222-2222-2222-222222222222","price_dollars":"0.1000","delta_fp":"3.25","side":"no","novel":{"sid":9,"seq":[1]}},"seq":45,"sid":7,"type":"orderbook_delta"}""",
        """{"type":"trade","sid":8,"seq":3,"msg":{"trade_id":"t1","market_ticker":"KXA-1","yes_price_dollars":"0.4000","count_fp":"4.00","ts":1,"ts_ms":1000}}""",
        """{"type":"ticker","sid":9,"msg":{"market_ticker":"KXA-1","price_dollars":"0.4000","ts_ms":1100}}""",
        """{"type":"fill","sid":10,"msg":{"trade_id":"t1","market_ticker":"KXA-1","ts_ms":1100}}""",
        """{"type":"orderbook_delta", "sid" : 7, "seq" : 99, "msg":{"market_ticker":"KXA-1","market_id":"11111111-1111-1111-1111-111111111111","price_dollars":"0.5500","delta_fp":"-1.50","side":"no","ts_ms":1300}}""",
        """{"type":"trade","sid":8,"seq":9,"msg":{"trade_id":"t2","market_ticker":"KXB-2","ts_ms":1300}}""",
        """{"type":"error","sid":7,"seq":100,"msg":{"code":25,"msg":"Subscription buffer overflow"}}""",
        """{"type":"market_lifecycle_v2","sid":11,"seq":5,"msg":{"market_ticker":"KXA-1","event_type":"settled","settled_ts":2}}""",
        """{"type":"orderbook_snapshot","sid":7,"seq":101,"msg":{"market_ticker":"KXB-2","market_id":"22222222-2222-2222-2222-222222222222"}}""",
    ];

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Frames_come_in_recorded_order_with_this_connections_numbers_and_every_other_byte_as_recorded()
    {
        await using var exchange = await MockExchange.ReplayAsync(Store(Session));
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta","trade","ticker"],"market_tickers":["KXB-2","KXA-1"]}}""");
        var frames = (await client.ReceiveAsync(3 + 9)).Skip(3).Select(frame => frame.Text).ToArray();

        Assert.Equal(
            [
                Renumbered(2, 1, 1), Renumbered(3, 1, 2), Renumbered(4, 1, 3), Renumbered(5, 1, 4), Renumbered(6, 2, 1), Renumbered(7, 3, 0),
                Renumbered(9, 1, 5), Renumbered(10, 2, 2), Renumbered(13, 1, 6),
            ],
            frames);
    }

    [Fact]
    public async Task Private_frames_go_only_to_who_subscribed_to_their_channel()
    {
        await using var exchange = await MockExchange.ReplayAsync(Store(Session));
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["trade","ticker","market_lifecycle_v2"]}}""");
        Assert.DoesNotContain(await client.ReceiveAsync(3 + 4), frame => frame.Type == "fill");

        await client.SendAsync("""{"id":2,"cmd":"subscribe","params":{"channels":["fill"]}}""");
        var fill = (await client.ReceiveAsync(2))[1];

        Assert.Equal(Renumbered(8, 4, 0), fill.Text);
    }

    [Fact]
    public async Task A_market_subscribed_later_starts_at_its_own_first_frame_and_the_numbers_go_on()
    {
        await using var exchange = await MockExchange.ReplayAsync(Store(Session));
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1"));
        await client.ReceiveAsync(1 + 3);

        await client.SendAsync(CommandTests.Update(2, "add_markets", "KXB-2"));
        var frames = await client.ReceiveAsync(4);

        Assert.Equal("""{"id":2,"type":"ok","sid":1,"seq":4,"msg":{"market_tickers":["KXA-1","KXB-2"]}}""", frames[0].Text);
        Assert.Equal([Renumbered(3, 1, 5), Renumbered(5, 1, 6), Renumbered(13, 1, 7)], frames.Skip(1).Select(frame => frame.Text));
    }

    [Fact]
    public async Task Each_connection_plays_the_recording_for_itself()
    {
        await using var exchange = await MockExchange.ReplayAsync(Store(Session));
        for (int connection = 0; connection < 3; connection++)
        {
            await using var client = await exchange.ConnectAsync();
            await client.SendAsync(CommandTests.Subscribe(1, "KXA-1"));
            Assert.Equal(Renumbered(2, 1, 1), (await client.ReceiveAsync(2))[1].Text);
        }
    }

    [Fact]
    public async Task After_the_last_frame_the_connection_stays_open_and_answers()
    {
        await using var exchange = await MockExchange.ReplayAsync(Store(Session));
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1"));
        await client.ReceiveAsync(4);

        Assert.Empty(await client.ReceiveAllSoFarAsync());
        Assert.Equal("ok", (await client.AskAsync("""{"id":3,"cmd":"list_subscriptions"}""")).Type);
    }

    [Fact]
    public async Task A_requested_snapshot_is_the_book_as_played_on_this_connection()
    {
        await using var exchange = await MockExchange.ReplayAsync(Store(Session));
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1"));
        await client.ReceiveAsync(4);

        var snapshot = await client.AskAsync(CommandTests.Update(5, "get_snapshot", "KXA-1"));

        Assert.Equal(
            """{"id":5,"type":"orderbook_snapshot","sid":1,"seq":4,"msg":{"market_ticker":"KXA-1","market_id":"11111111-1111-1111-1111-111111111111","yes_dollars_fp":[["0.0100","5.00"],["0.4000","6.00"]],"no_dollars_fp":[["0.5000","20.00"]]}}""",
            snapshot.Text);
    }

    [Fact]
    public async Task A_market_without_a_recorded_snapshot_and_an_unknown_market_get_an_empty_one()
    {
        string file = Store("""{"type":"orderbook_delta","sid":1,"seq":5,"msg":{"market_ticker":"KXC-3","market_id":"33333333-3333-3333-3333-333333333333","price_dollars":"0.1000","delta_fp":"1.00","side":"yes"}}""");
        await using var exchange = await MockExchange.ReplayAsync(file);
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync(CommandTests.Subscribe(1, "KXC-3", "KXNONE"));
        var frames = await client.ReceiveAsync(4);

        Assert.Equal(
            [
                """{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{"market_ticker":"KXC-3","market_id":"33333333-3333-3333-3333-333333333333"}}""",
                """{"type":"orderbook_snapshot","sid":1,"seq":2,"msg":{"market_ticker":"KXNONE","market_id":""}}""",
            ],
            frames.Skip(1).Take(2).Select(frame => frame.Text));
        Assert.Equal(("orderbook_delta", 3L), (frames[3].Type, frames[3].Seq!.Value));
    }

    [Fact]
    public async Task With_yes_prices_only_the_NO_prices_change()
    {
        await using var exchange = await MockExchange.ReplayAsync(Store(Session));
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync("""{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_ticker":"KXA-1","use_yes_price":true}}""");
        var frames = (await client.ReceiveAsync(4)).Skip(1).Select(frame => frame.Text).ToArray();

        Assert.Equal(
            [
                Renumbered(2, 1, 1).Replace("""[["0.5000","20.00"],["0.5500","1.50"]]""", """[["0.5000","20.00"],["0.4500","1.50"]]""", StringComparison.Ordinal),
                Renumbered(4, 1, 2),
                Renumbered(9, 1, 3).Replace("0.5500", "0.4500", StringComparison.Ordinal),
            ],
            frames);
    }

    [Fact]
    public async Task REST_lists_the_recorded_markets_and_gives_the_books_as_last_played()
    {
        await using var exchange = await MockExchange.ReplayAsync(Store(Session));
        Assert.Equal(["KXA-1", "KXB-2"], await exchange.TickersAsync());
        var before = await exchange.GetAsync("markets/KXA-1/orderbook");
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1"));
        await client.ReceiveAsync(4);

        var after = await exchange.GetAsync("markets/KXA-1/orderbook");

        Assert.Equal("""{"orderbook_fp":{"yes_dollars":[["0.0100","5.00"],["0.4000","10.00"]],"no_dollars":[["0.5000","20.00"],["0.5500","1.50"]]}}""", before.ToJsonString());
        Assert.Equal("""{"orderbook_fp":{"yes_dollars":[["0.0100","5.00"],["0.4000","6.00"]],"no_dollars":[["0.5000","20.00"]]}}""", after.ToJsonString());
        Assert.Equal("0.5000", (string)(await exchange.GetAsync("markets/KXA-1"))["market"]!["yes_ask_dollars"]!);
    }

    [Fact]
    public async Task Paced_replay_keeps_the_recorded_times_divided_by_the_speed()
    {
        // 300 ms lie between the first and the last frame of this market; at half speed 600 ms.
        await using var exchange = await MockExchange.ReplayAsync(Store(Session), speed: 0.5);
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1"));
        await client.ReceiveAsync(2);
        long started = Stopwatch.GetTimestamp();

        var last = (await client.ReceiveAsync(2))[1];
        var elapsed = Stopwatch.GetElapsedTime(started);

        Assert.Equal(Renumbered(9, 1, 3), last.Text);
        Assert.True(elapsed >= TimeSpan.FromMilliseconds(500), $"{elapsed.TotalMilliseconds} ms");
    }

    [Fact]
    public async Task Commands_are_answered_while_a_paced_replay_waits()
    {
        await using var exchange = await MockExchange.ReplayAsync(Store(Session), speed: 0.001);
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1"));
        await client.ReceiveAsync(3);

        Assert.Equal("ok", (await client.AskAsync("""{"id":3,"cmd":"list_subscriptions"}""")).Type);
    }

    [Fact]
    public async Task An_unsubscribed_market_stops()
    {
        await using var exchange = await MockExchange.ReplayAsync(Store(Session), speed: 0.01);
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1", "KXB-2"));
        await client.ReceiveAsync(5);

        var reply = await client.AskAsync("""{"id":3,"cmd":"unsubscribe","params":{"sids":[1]}}""");

        Assert.Equal(("unsubscribed", 5L), (reply.Type, reply.Seq!.Value));
        Assert.Empty(await client.ReceiveAllSoFarAsync());
    }

    [Fact]
    public async Task A_gzip_recording_is_played_like_a_text_one()
    {
        string file = Path.Combine(_folder.FullName, "session.jsonl.gz");
        await using (var gzip = new GZipStream(File.Create(file), CompressionLevel.Fastest))
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(string.Join("\r\n", Session)), TestContext.Current.CancellationToken);
        await using var exchange = await MockExchange.ReplayAsync(file);
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1"));

        Assert.Equal(Renumbered(9, 1, 3), (await client.ReceiveAsync(4))[3].Text);
    }

    [Theory]
    [InlineData(Recordings.FixedPointSession)]
    [InlineData(Recordings.QuietSession)]
    [InlineData(Recordings.BurstSession)]
    public async Task A_real_recording_arrives_complete_in_order_and_byte_for_byte_unpaced(string name)
    {
        string[] playable = ["orderbook_snapshot", "orderbook_delta", "trade"];
        var recorded = Recordings.Frames(name).Select(bytes => Encoding.UTF8.GetString(bytes))
            .Where(text => playable.Contains(TypePattern().Match(text).Groups[1].Value)).ToList();
        await using var exchange = await MockExchange.ReplayAsync(Recordings.Require(name));
        string tickers = string.Join("\",\"", await exchange.TickersAsync());
        await using var client = await exchange.ConnectAsync();

        await client.SendAsync($$$"""{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta","trade"],"market_tickers":["{{{tickers}}}"]}}""");
        await client.ReceiveAsync(2);
        var played = new Dictionary<string, int> { ["1"] = 0, ["2"] = 0 };
        foreach (string text in recorded)
        {
            string sid = TypePattern().Match(text).Groups[1].Value == "trade" ? "2" : "1";
            string expected = NumbersPattern().Replace(text, $"\"sid\":{sid},\"seq\":{++played[sid]}", 1);
            string received = Encoding.UTF8.GetString((await client.ReceiveBytesAsync()).Span);
            if (expected != received) Assert.Equal(expected, received);
        }

        Assert.Empty(await client.ReceiveAllSoFarAsync());
    }

    [Fact]
    public async Task Nothing_is_lost_when_an_unpaced_client_pauses()
    {
        string[] session = [Session[2], .. Enumerable.Repeat(Session[4].Replace("-4.00", "4.00", StringComparison.Ordinal), 50_000)];
        await using var exchange = await MockExchange.ReplayAsync(Store(session));
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1"));

        // Until somebody reads on, the socket holds the player back: another connection's snapshot shows how far the market came at most.
        await client.ReceiveAsync(2);
        await using var other = await exchange.ConnectAsync();
        await other.SendAsync(CommandTests.Subscribe(1, "KXA-1"));
        await other.ReceiveAsync(1 + session.Length);
        for (long seq = 2; seq <= session.Length; seq++) Assert.Equal(seq, (await client.ReceiveAsync()).Seq);
    }

    private string Store(params string[] frames)
    {
        string file = Path.Combine(_folder.FullName, $"{Guid.NewGuid():N}.jsonl");
        File.WriteAllText(file, string.Join('\n', frames) + "\n");
        return file;
    }

    /// <summary>A line of the session with its sid and, where it has one, its seq replaced.</summary>
    private static string Renumbered(int line, int sid, int seq)
    {
        string text = SidPattern().Replace(Session[line], match => match.Groups[1].Value + sid, 1);
        // The sixth line has numbers of those names inside its message, which are not the frame's.
        if (line == 5) text = Session[line].Replace("\"sid\":7", $"\"sid\":{sid}", StringComparison.Ordinal);
        return seq == 0 ? text : SeqPattern().Replace(text, match => match.Groups[1].Value + seq, 1);
    }

    [GeneratedRegex("(\"sid\" ?: ?)\\d+")]
    private static partial Regex SidPattern();

    [GeneratedRegex("(\"seq\" ?: ?)\\d+")]
    private static partial Regex SeqPattern();

    [GeneratedRegex("\"type\":\"(\\w+)\"")]
    private static partial Regex TypePattern();

    [GeneratedRegex("\"sid\":\\d+,\"seq\":\\d+")]
    private static partial Regex NumbersPattern();
}
