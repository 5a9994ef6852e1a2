using System.Text;
using System.Text.RegularExpressions;
using MarketData.MockKalshi;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>Playing several recordings, again and again, with the numbers as recorded, and markets in many copies.</summary>
public sealed partial class ReplayModeTests : IDisposable
{
    private const string SubscribeEverything = """{"id":1,"cmd":"subscribe","params":{"channels":["trade","market_lifecycle_v2"]}}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Several_files_begin_together_and_keep_the_time_of_their_frames(bool asList)
    {
        string first = Store("first.jsonl", Trade("KXA-1", "a1", 5_000), Trade("KXA-1", "a2", 5_300), Trade("KXA-1", "a3", 5_100));
        string second = Store("second.jsonl", Trade("KXB-1", "b1", 900_000), Trade("KXB-1", "b2", 900_200), Trade("KXB-1", "b3", 900_400));
        string[] arguments = asList ? ["--replay", $"{first},{second}"] : ["--replay", first, $"--replay={second}"];
        await using var exchange = await MockExchange.StartAsync(["--speed", "0", .. arguments]);
        await using var client = await exchange.ConnectAsync();

        var frames = (await PlayAsync(client, 6)).Select(frame => (string)frame.Message["trade_id"]!);

        // By the time since each file's beginning; one file's own frames in their recorded order, whatever times they carry.
        Assert.Equal(["a1", "b1", "b2", "a2", "a3", "b3"], frames);
        Assert.Equal(["KXA-1", "KXB-1"], await exchange.TickersAsync());
    }

    [Fact]
    public void Files_with_the_same_market_are_refused_with_their_names()
    {
        string first = Store("first.jsonl", Trade("KXA-1", "a1", 1)), second = Store("second.jsonl", Trade("KXA-1", "b1", 1));

        var failure = Assert.Throws<StartupException>(() => MockKalshiApplication.Build(["--replay", first, "--replay", second]));

        Assert.Contains("KXA-1", failure.Message, StringComparison.Ordinal);
        Assert.Contains(first, failure.Message, StringComparison.Ordinal);
        Assert.Contains(second, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_another_dialect_than_the_first_is_refused_by_its_name()
    {
        string first = Store("first.jsonl", Trade("KXA-1", "a1", 1));
        string cents = Store(
            "cents.jsonl", """{"type":"orderbook_delta","sid":1,"seq":1,"msg":{"market_ticker":"KXB-1","price":47,"delta":5,"side":"yes"}}""");

        var failure = Assert.Throws<StartupException>(() => MockKalshiApplication.Build(["--replay", first, "--replay", cents]));

        Assert.Contains($"The recording {cents} speaks cents", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--seq backwards", "Replay:Seq")]
    [InlineData("--seq 7", "Replay:Seq")]
    [InlineData("--multiply 0", "Replay:Multiply")]
    [InlineData("--multiply 1001", "Replay:Multiply")]
    [InlineData("--replay a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "1 to 16 recordings")]
    public void A_wrong_mode_is_named(string arguments, string named)
    {
        string file = Store("one.jsonl", Trade("KXA-1", "a1", 1));

        var failure = Assert.Throws<StartupException>(() => MockKalshiApplication.Build(["--replay", file, .. arguments.Split(' ')]));

        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_of_recordings_that_names_none_is_refused()
    {
        var failure = Assert.Throws<StartupException>(() => MockKalshiApplication.Build(["--replay", ","]));

        Assert.Contains("Replay:File (--replay) must name 1 to 16 recordings", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_copies_than_a_hundred_thousand_markets_are_refused()
    {
        string file = Store("many.jsonl", [.. Enumerable.Range(0, 101).Select(market => Trade($"KXA-{market}", "a1", 1))]);

        var failure = Assert.Throws<StartupException>(() => MockKalshiApplication.Build(["--replay", file, "--multiply", "1000"]));

        Assert.Contains("Replay:Multiply (--multiply) 1000 of 101 recorded markets", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_looped_recording_begins_again_after_its_last_frame_with_numbers_that_go_on()
    {
        await using var exchange = await MockExchange.ReplayAsync(Store("loop.jsonl", Trade("KXA-1", "a1", 1), Trade("KXB-1", "b1", 2)), 0, "--loop");
        await using var client = await exchange.ConnectAsync();

        var frames = await PlayAsync(client, 200);

        Assert.Equal(Enumerable.Range(0, 200).Select(i => i % 2 == 0 ? "a1" : "b1"), frames.Select(frame => (string)frame.Message["trade_id"]!));
        Assert.Equal(Enumerable.Range(1, 200).Select(seq => (long)seq), frames.Select(frame => frame.Seq!.Value));
        Assert.Equal("ok", (await client.AskUntilAsync("""{"id":3,"cmd":"list_subscriptions"}""", id: 3)).Type);
    }

    [Fact]
    public async Task A_looped_book_begins_empty_where_the_recording_does_not_begin_with_a_snapshot()
    {
        string file = Store("book.jsonl", Delta("KXA-1", 1, "1.00"), Delta("KXA-1", 2, "2.00"));
        await using var exchange = await MockExchange.ReplayAsync(file, 0, "--loop");
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1"));

        var frames = (await client.ReceiveAsync(7)).Skip(1).ToArray();

        Assert.Equal(
            ["orderbook_snapshot", "orderbook_delta", "orderbook_delta", "orderbook_snapshot", "orderbook_delta", "orderbook_delta"],
            frames.Select(frame => frame.Type));
        Assert.Null(frames[3].Message["yes_dollars_fp"]);
    }

    [Fact]
    public async Task A_market_subscribed_in_a_later_round_joins_that_round()
    {
        string file = Store("loop.jsonl", Trade("KXA-1", "a1", 1), Delta("KXB-1", 2, "1.00"));
        await using var exchange = await MockExchange.ReplayAsync(file, 0, "--loop");
        await using var client = await exchange.ConnectAsync();
        await PlayAsync(client, 50);

        await client.SendAsync(CommandTests.Subscribe(2, "KXB-1"));
        var frames = (await client.ReceiveUntilAsync(frame => frame.Type == "orderbook_delta")).SkipWhile(frame => frame.Id != 2).ToArray();

        Assert.Single(frames, frame => frame.Type == "orderbook_delta");
        Assert.Equal("trade", (await client.ReceiveUntilAsync(frame => frame.Type == "orderbook_delta"))[0].Type);
    }

    [Fact]
    public async Task Numbers_as_recorded_keep_their_gaps_and_the_exchanges_own_frames_follow_the_last_of_them()
    {
        string file = Store("gaps.jsonl", Delta("KXA-1", 41, "1.00"), Delta("KXA-1", 42, "1.00"), Delta("KXA-1", 50, "1.00"));
        await using var exchange = await MockExchange.ReplayAsync(file, 0, "--seq", "recorded");
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1"));

        var played = await client.ReceiveAsync(5);
        var snapshot = await client.AskAsync(CommandTests.Update(2, "get_snapshot", "KXA-1"));

        Assert.Equal([1L, 41L, 42L, 50L], played.Skip(1).Select(frame => frame.Seq!.Value));
        Assert.All(played.Skip(1), frame => Assert.Equal(1, frame.Sid));
        Assert.Equal(51, snapshot.Seq);
    }

    [Fact]
    public async Task Multiplied_markets_differ_in_their_tickers_alone()
    {
        const string odd = """{ "msg":{"odd":1.50,"market_ticker":"KXA-1","novel":{"market_ticker":"KXA-1"}}, "seq" : 9,"sid":5, "type":"trade" }""";
        const string ofNoMarket = """{"type":"event_lifecycle","sid":6,"seq":1,"msg":{"event_ticker":"KXA"}}""";
        await using var exchange = await MockExchange.ReplayAsync(Store("one.jsonl", odd, ofNoMarket, Trade("KXA-1", "a2", 7)), 0, "--multiply", "3");
        await using var client = await exchange.ConnectAsync();

        var frames = (await PlayAsync(client, 7)).Select(frame => frame.Text);

        Assert.Equal(
            [
                Odd("001", 1), Odd("002", 2), Odd("003", 3), ofNoMarket.Replace("\"sid\":6", "\"sid\":2", StringComparison.Ordinal),
                Later("001", 4), Later("002", 5), Later("003", 6),
            ],
            frames);
        Assert.Equal(["KXA-1-001", "KXA-1-002", "KXA-1-003"], await exchange.TickersAsync());

        static string Odd(string copy, int seq) =>
            $$$"""{ "msg":{"odd":1.50,"market_ticker":"KXA-1-{{{copy}}}","novel":{"market_ticker":"KXA-1"}}, "seq" : {{{seq}}},"sid":1, "type":"trade" }""";
        static string Later(string copy, int seq) => Trade($"KXA-1-{copy}", "a2", 7).Replace("\"sid\":8,\"seq\":0", $"\"sid\":1,\"seq\":{seq}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_copy_of_a_market_has_its_own_book()
    {
        string file = Store("book.jsonl", Delta("KXA-1", 1, "1.00"), Delta("KXA-1", 2, "2.00"));
        await using var exchange = await MockExchange.ReplayAsync(file, 0, "--multiply", "12");
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync(CommandTests.Subscribe(1, "KXA-1-012"));
        await client.ReceiveAsync(4);

        var snapshot = await client.AskAsync(CommandTests.Update(2, "get_snapshot", "KXA-1-012"));

        Assert.Equal("""[["0.4000","3.00"]]""", snapshot.Message["yes_dollars_fp"]!.ToJsonString());
        Assert.Equal(
            """{"orderbook_fp":{"yes_dollars":[["0.4000","3.00"]],"no_dollars":[]}}""", (await exchange.GetAsync("markets/KXA-1-012/orderbook")).ToJsonString());
        Assert.Equal("KXA", (string)(await exchange.GetAsync("markets/KXA-1-012"))["market"]!["event_ticker"]!);
    }

    [Fact]
    public async Task Two_real_sessions_and_copies_of_their_markets_arrive_complete_and_byte_for_byte()
    {
        string[] names = [Recordings.FixedPointSession, Recordings.QuietSession];
        var expected = names.Select(Recordings.Frames).SelectMany(frames => frames)
            .Select(bytes => Encoding.UTF8.GetString(bytes))
            .Where(text => PlayablePattern().IsMatch(text))
            .SelectMany(text => ((string[])["001", "002"]).Select(copy => TickerPattern().Replace(Unnumbered(text), $"$1-{copy}\"", 1)))
            .Order(StringComparer.Ordinal).ToList();
        await using var exchange = await MockExchange.StartAsync(
            "--replay", string.Join(',', names.Select(Recordings.Require)), "--speed", "0", "--multiply", "2");
        string tickers = string.Join("\",\"", await exchange.TickersAsync());
        await using var client = await exchange.ConnectAsync();
        await client.SendAsync($$$"""{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta","trade"],"market_tickers":["{{{tickers}}}"]}}""");
        await client.ReceiveBytesAsync();
        await client.ReceiveBytesAsync();

        var received = new List<string>(expected.Count);
        var numbers = new Dictionary<string, long> { ["1"] = 0, ["2"] = 0 };
        while (received.Count < expected.Count)
        {
            string text = Encoding.UTF8.GetString((await client.ReceiveBytesAsync()).Span);
            var parts = NumbersPattern().Match(text);
            Assert.Equal(++numbers[parts.Groups[1].Value], long.Parse(parts.Groups[2].ValueSpan, System.Globalization.CultureInfo.InvariantCulture));
            received.Add(Unnumbered(text));
        }

        received.Sort(StringComparer.Ordinal);
        Assert.True(expected.SequenceEqual(received, StringComparer.Ordinal));
        Assert.Empty(await client.ReceiveAllSoFarAsync());
    }

    private static string Unnumbered(string text) => NumbersPattern().Replace(text, "", 1);

    private static async Task<List<Frame>> PlayAsync(ExchangeClient client, int count)
    {
        await client.SendAsync(SubscribeEverything);
        await client.ReceiveAsync(2);
        return await client.ReceiveAsync(count);
    }

    private static string Trade(string ticker, string id, long time) =>
        $$$"""{"type":"trade","sid":8,"seq":0,"msg":{"market_ticker":"{{{ticker}}}","trade_id":"{{{id}}}","ts_ms":{{{time}}}}}""";

    private static string Delta(string ticker, int seq, string change) =>
        $$$"""{"type":"orderbook_delta","sid":3,"seq":{{{seq}}},"msg":{"market_ticker":"{{{ticker}}}","price_dollars":"0.4000","delta_fp":"{{{change}}}","side":"yes"}}""";

    private string Store(string name, params string[] frames)
    {
        string file = Path.Combine(_folder.Path, name);
        File.WriteAllText(file, string.Join('\n', frames) + "\n");
        return file;
    }

    [GeneratedRegex("\"type\":\"(orderbook_snapshot|orderbook_delta|trade)\"")]
    private static partial Regex PlayablePattern();

    [GeneratedRegex("(\"market_ticker\":\"[^\"]+)\"")]
    private static partial Regex TickerPattern();

    [GeneratedRegex("\"sid\":(\\d+),\"seq\":(\\d+)")]
    private static partial Regex NumbersPattern();
}
