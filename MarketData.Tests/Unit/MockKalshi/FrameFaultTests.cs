using System.Net.WebSockets;
using System.Text;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>Faults of single frames: a recording of known frames is played, and one of them arrives damaged.</summary>
public sealed class FrameFaultTests : IDisposable
{
    private const string SubscribeBoth = """{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta","trade"],"market_tickers":["KXA-1","KXB-2"]}}""";

    private readonly TemporaryFolder _folder = new();

    // A snapshot of each market, then deltas of both in turn; after the fourth delta a trade, and one at the end.
    private static readonly string[] Session =
    [
        Snapshot("KXA-1"), Snapshot("KXB-2"),
        Delta("KXA-1", 1), Delta("KXB-2", 2), Delta("KXA-1", 3), Delta("KXB-2", 4), Trade("KXA-1", "é1"),
        Delta("KXA-1", 5), Delta("KXB-2", 6), Delta("KXA-1", 7), Delta("KXB-2", 8), Trade("KXB-2", "é2"),
    ];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Skipped_frames_are_lost_and_the_numbers_after_them_go_on()
    {
        await using var exchange = await PlayAsync("skip:channel=orderbook_delta,after=3,count=2");
        await using var client = await exchange.ConnectAsync();

        var frames = await PlayedAsync(client, 10);

        Assert.Equal([1, 2, 3, 6, 7, 8, 9, 10], Numbers(frames, sid: 1));
        Assert.Equal([1, 2], Numbers(frames, sid: 2));
        Assert.Equal("spent 5/2", await exchange.FaultAsync(1));
    }

    [Fact]
    public async Task A_skipped_change_is_lost_on_the_wire_only()
    {
        await using var exchange = await PlayAsync("skip:type=orderbook_delta,market=KXA-1");
        await using var client = await exchange.ConnectAsync();
        await PlayedAsync(client, 11);

        var snapshot = await client.AskAsync(CommandTests.Update(5, "get_snapshot", "KXA-1"));

        Assert.Equal("""[["0.4000","26.00"]]""", snapshot.Message["yes_dollars_fp"]!.ToJsonString());
        Assert.Equal(11, snapshot.Seq);
    }

    [Fact]
    public async Task A_duplicated_frame_arrives_twice()
    {
        await using var exchange = await PlayAsync("duplicate:channel=trade");
        await using var client = await exchange.ConnectAsync();

        var frames = await PlayedAsync(client, 13);

        Assert.Equal([1, 1, 2], Numbers(frames, sid: 2));
        Assert.Equal(Enumerable.Range(1, 10).Select(seq => (long)seq), Numbers(frames, sid: 1));
    }

    [Fact]
    public async Task A_reordered_frame_is_overtaken_by_the_next_of_another_sid_and_its_own_sid_stays_in_order()
    {
        await using var exchange = await PlayAsync("reorder:type=orderbook_delta,after=2,milliseconds=60000");
        await using var client = await exchange.ConnectAsync();

        var frames = await PlayedAsync(client, 12);

        Assert.Equal([1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2], frames.Select(frame => frame.Sid!.Value));
        Assert.Equal(Enumerable.Range(1, 10).Select(seq => (long)seq), Numbers(frames, sid: 1));
    }

    [Fact]
    public async Task A_frame_that_nothing_overtakes_comes_when_its_time_is_over()
    {
        await using var exchange = await PlayAsync("reorder:channel=trade,after=1,milliseconds=50");
        await using var client = await exchange.ConnectAsync();

        var frames = await PlayedAsync(client, 12);

        Assert.Equal("trade", frames[^1].Type);
    }

    [Fact]
    public async Task A_negative_level_takes_more_than_ever_rested_and_the_rest_of_the_frame_is_right()
    {
        await using var exchange = await PlayAsync("negative-level:after=1");
        await using var client = await exchange.ConnectAsync();

        var frames = await PlayedAsync(client, 12);

        var deltas = frames.Where(frame => frame.Type == "orderbook_delta").ToArray();
        Assert.Equal("1.00", (string)deltas[0].Message["delta_fp"]!);
        Assert.Equal("-1000000000.00", (string)deltas[1].Message["delta_fp"]!);
        Assert.Equal(Delta("KXB-2", 2).Replace("\"2.00\"", "\"-1000000000.00\"", StringComparison.Ordinal).Replace("\"seq\":0", "\"seq\":4", StringComparison.Ordinal), deltas[1].Text);
        Assert.Equal("3.00", (string)deltas[2].Message["delta_fp"]!);
    }

    [Fact]
    public async Task A_cents_era_delta_becomes_negative_in_its_own_form()
    {
        const string delta = """{"type":"orderbook_delta","sid":7,"seq":0,"msg":{"market_ticker":"KXA-1","price":40,"delta":12,"side":"yes"}}""";
        await using var exchange = await MockExchange.ReplayAsync(Store(delta), 0, "--dialect", "cents", "--fault", "negative-level");
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1"));

        Assert.Equal(-1_000_000_000, (int)(await client.ReceiveAsync(3))[2].Message["delta"]!);
    }

    [Fact]
    public async Task A_malformed_frame_is_text_but_no_JSON_and_the_next_is_whole()
    {
        await using var exchange = await PlayAsync("malformed:channel=trade");
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);
        await client.SendTextAsync(SubscribeBoth);
        var frames = new List<RawFrame>();
        while (frames.Count < 14) frames.Add(await client.ReceiveAsync());

        var damaged = frames.Where(frame => !frame.Text.EndsWith('}')).ToArray();

        Assert.StartsWith("""{"type":"trade","sid":2,"seq":1,""", Assert.Single(damaged).Text, StringComparison.Ordinal);
        Assert.True(damaged[0].Final);
        Assert.EndsWith("\"é2\"}}", frames[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_huge_frame_says_the_same_with_a_long_field_more()
    {
        await using var exchange = await PlayAsync("huge:bytes=3000000,channel=trade");
        await using var client = await exchange.ConnectAsync();

        var frames = await PlayedAsync(client, 12);

        var huge = frames.First(frame => frame.Type == "trade");
        Assert.Equal(3_000_000, ((string)huge.Json["padding"]!).Length);
        Assert.Equal("é1", (string)huge.Message["trade_id"]!);
        Assert.InRange(frames[^1].Text.Length, 10, 1000);
    }

    [Fact]
    public async Task A_split_frame_comes_as_fragments_that_join_to_the_whole()
    {
        await using var exchange = await PlayAsync("split:fragments=4,channel=trade");
        using var client = await RawClient.ConnectAsync(exchange.WebSocketAddress);
        await client.SendTextAsync(SubscribeBoth);
        var frames = new List<RawFrame>();
        while (frames.Count < 17) frames.Add(await client.ReceiveAsync());

        int first = frames.FindIndex(frame => !frame.Final);

        Assert.Equal(
            [(RawClient.TextMessage, false), (RawClient.Continuation, false), (RawClient.Continuation, false), (RawClient.Continuation, true)],
            frames.Skip(first).Take(4).Select(frame => (frame.Opcode, frame.Final)));
        string joined = Encoding.UTF8.GetString([.. frames.Skip(first).Take(4).SelectMany(frame => frame.Payload)]);
        Assert.Equal(Trade("KXA-1", "é1").Replace("\"sid\":8", "\"sid\":2", StringComparison.Ordinal).Replace("\"seq\":0", "\"seq\":1", StringComparison.Ordinal), joined);
        Assert.All(frames.Skip(first + 4), frame => Assert.True(frame.Final));
    }

    [Fact]
    public async Task A_frame_with_a_newline_ends_with_it_and_no_other_does()
    {
        await using var exchange = await PlayAsync("newline:market=KXB-2,type=orderbook_snapshot");
        await using var client = await exchange.ConnectAsync();

        var frames = await PlayedAsync(client, 12);

        Assert.Equal([1], Enumerable.Range(0, 12).Where(i => frames[i].Text.EndsWith('\n')));
    }

    [Fact]
    public async Task A_dropped_connection_ends_with_the_asked_close_code_after_what_was_sent_before()
    {
        await using var exchange = await PlayAsync("drop:channel=orderbook_delta,after=4,code=1011");
        await using var client = await exchange.ConnectAsync();

        Assert.Equal([1, 2, 3, 4], Numbers(await PlayedAsync(client, 4), sid: 1));
        var end = await client.Socket.ReceiveAsync(new byte[100], TestContext.Current.CancellationToken);

        Assert.Equal((WebSocketMessageType.Close, WebSocketCloseStatus.InternalServerError), (end.MessageType, client.Socket.CloseStatus));
        Assert.Equal("fault injected", client.Socket.CloseStatusDescription);
    }

    [Fact]
    public async Task An_aborted_connection_ends_without_a_close_frame()
    {
        await using var exchange = await PlayAsync("drop:how=abort,after=5");
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(SubscribeBoth);

        await Assert.ThrowsAsync<WebSocketException>(async () => await client.ReceiveAsync(14));

        Assert.Null(client.Socket.CloseStatus);
    }

    [Theory]
    [InlineData("connection=2", "whole", "damaged", "whole")]
    [InlineData("connection=3,count=0", "whole", "whole", "damaged")]
    [InlineData("count=2", "damaged", "whole", "whole")]
    [InlineData("after=4,count=2", "damaged", "damaged", "whole")]
    [InlineData("after=11", "whole", "whole", "damaged")]
    [InlineData("after=15", "whole", "whole", "whole")]
    public async Task Scope_and_counts_choose_the_frames_over_all_connections(string limits, params string[] expected)
    {
        // Each connection brings five occasions: a market's snapshot and its four deltas.
        await using var exchange = await PlayAsync($"newline:market=KXA-1,channel=orderbook_delta,{limits}");
        var outcomes = new List<string>();
        for (int connection = 0; connection < 3; connection++)
        {
            await using var client = await exchange.ConnectAsync();
            await client.SendAsync(CommandTests.Subscribe(1, "KXA-1"));
            var frames = await client.ReceiveAsync(6);
            outcomes.Add(frames.Exists(frame => frame.Text.EndsWith('\n')) ? "damaged" : "whole");
        }

        Assert.Equal(expected, outcomes);
    }

    [Fact]
    public async Task One_number_is_lost_in_the_middle_of_a_busy_session_and_nothing_else()
    {
        await using var exchange = await MockExchange.StartAsync("--markets", "12", "--rate", "5000", "--fault", "skip:type=orderbook_delta,after=500");
        string[] tickers = await exchange.TickersAsync();
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, tickers));
        await client.ReceiveAsync();

        var numbers = Numbers(await client.ReceiveAsync(tickers.Length + 2000), sid: 1);

        int hole = tickers.Length + 500;
        Assert.Equal(Enumerable.Range(1, tickers.Length + 2001).Where(seq => seq != hole + 1).Select(seq => (long)seq), numbers);
        Assert.Equal("spent 501/1", await exchange.FaultAsync(1));
    }

    [Fact]
    public async Task Several_faults_each_take_a_frame_of_their_own()
    {
        await using var exchange = await MockExchange.ReplayAsync(
            Store(Session), 0, "--fault", "newline:channel=trade", "--fault", """{"kind":"duplicate","channel":"trade"}""");
        await using var client = await exchange.ConnectAsync();

        var trades = (await PlayedAsync(client, 13)).Where(frame => frame.Sid == 2).Select(frame => (frame.Seq, frame.Text.EndsWith('\n')));

        Assert.Equal([(1, true), (2, false), (2, false)], trades);
    }

    private Task<MockExchange> PlayAsync(string fault) => MockExchange.ReplayAsync(Store(Session), 0, "--fault", fault);

    /// <summary>Data frames after the two acks.</summary>
    private static async Task<List<Frame>> PlayedAsync(ExchangeClient client, int count)
    {
        await client.SendAsync(SubscribeBoth);
        await client.ReceiveAsync(2);
        return await client.ReceiveAsync(count);
    }

    private static IEnumerable<long> Numbers(IEnumerable<Frame> frames, int sid) => frames.Where(frame => frame.Sid == sid).Select(frame => frame.Seq!.Value);

    private static string Snapshot(string ticker) =>
        $$$"""{"type":"orderbook_snapshot","sid":7,"seq":0,"msg":{"market_ticker":"{{{ticker}}}","yes_dollars_fp":[["0.4000","10.00"]]}}""";

    private static string Delta(string ticker, int change) =>
        $$$"""{"type":"orderbook_delta","sid":1,"seq":0,"msg":{"market_ticker":"{{{ticker}}}","price_dollars":"0.4000","delta_fp":"{{{change}}}.00","side":"yes"}}""";

    private static string Trade(string ticker, string id) =>
        $$$"""{"type":"trade","sid":8,"seq":0,"msg":{"market_ticker":"{{{ticker}}}","trade_id":"{{{id}}}"}}""";

    private string Store(params string[] frames)
    {
        string file = Path.Combine(_folder.Path, "session.jsonl");
        File.WriteAllText(file, string.Join('\n', frames) + "\n");
        return file;
    }
}
