using MarketData.MockKalshi;

namespace MarketData.Tests.Unit.MockKalshi;

/// <summary>What is wrong with arguments, settings or the recording is said in one line before anything listens.</summary>
public sealed class StartupTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mock-kalshi-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("--markets 0", "Simulation:Markets")]
    [InlineData("--markets 20001", "Simulation:Markets")]
    [InlineData("--rate -1", "Simulation:Rate")]
    [InlineData("--rate fast", "Simulation:Rate")]
    [InlineData("--seed x", "Simulation:Seed")]
    [InlineData("--burst 0", "Simulation:Burst")]
    [InlineData("--clock-speed 0", "Simulation:ClockSpeed")]
    [InlineData("--clock-speed NaN", "Simulation:ClockSpeed")]
    [InlineData("--Simulation:Start 1950-01-01T00:00:00Z", "Simulation:Start")]
    [InlineData("--Simulation:Start soon", "Simulation:Start")]
    [InlineData("--speed -1", "Replay:Speed")]
    [InlineData("--speed NaN", "Replay:Speed")]
    [InlineData("--replay /no/such/file.jsonl", "/no/such/file.jsonl")]
    [InlineData("--replya x", "--replya")]
    [InlineData("--speed", "--speed needs a value")]
    [InlineData("--dialect morse", "Protocol:Dialect (--dialect) must be one of fixed-point, cents, seed, seed-flat")]
    [InlineData("--keys /no/such/directory", "Authentication:KeysDirectory")]
    [InlineData("--Authentication:ClockSkew 00:00:00", "Authentication:ClockSkew")]
    [InlineData("--Connection:MaxMarketsPerSubscription 0", "Connection:MaxMarketsPerSubscription")]
    [InlineData("--Connection:CommandsPerSecond 0", "Connection:CommandsPerSecond")]
    [InlineData("--Connection:CommandTimeout 00:00:00", "Connection:CommandTimeout")]
    [InlineData("--Connection:StreamBuffer 0", "Connection:StreamBuffer")]
    [InlineData("--Connection:PingInterval 00:00:00", "Connection:PingInterval")]
    public void A_wrong_argument_is_named(string arguments, string named)
    {
        var failure = Assert.Throws<StartupException>(() => MockKalshiApplication.Build(arguments.Split(' ')));

        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Theory]
    [InlineData("{\"type\":\"trade\"}\n\n{\"type\":\"trade\"}\n", "line 2")]
    [InlineData("{\"type\":\"trade\"}\n{\"type\":\"tra", "line 2")]
    [InlineData("{\"type\":\"trade\"}\n{\"type\":\"trade\"}\n[1]\n", "line 3")]
    [InlineData("{\"sid\":1}\n", "line 1")]
    [InlineData("", "no data frame")]
    [InlineData("{\"type\":\"subscribed\"}\n", "no data frame")]
    public void A_line_that_is_no_frame_is_named_with_its_file(string content, string named)
    {
        string file = Path.Combine(_folder.FullName, "broken.jsonl");
        File.WriteAllText(file, content);

        var failure = Assert.Throws<StartupException>(() => MockKalshiApplication.Build(["--replay", file]));

        Assert.Contains(file, failure.Message, StringComparison.Ordinal);
        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fixed-point", "\"sid\":1,", "\"price\":47,\"price_dollars\":\"0.47\",\"delta\":5", "--dialect cents")]
    [InlineData("cents", "\"sid\":1,", "\"price_dollars\":\"0.4700\",\"delta_fp\":\"5.00\"", "--dialect fixed-point")]
    [InlineData("fixed-point", "", "\"price\":47,\"delta\":5", "cannot be played")]
    [InlineData("seed", "", "\"price\":47,\"delta\":5", "Replay:File (--replay) needs another dialect than seed")]
    [InlineData("seed-flat", "", "\"price\":47,\"delta\":5", "Replay:File (--replay) needs another dialect than seed-flat")]
    public void A_recording_in_another_dialect_is_refused(string dialect, string sid, string change, string named)
    {
        string file = Path.Combine(_folder.FullName, "other.jsonl");
        File.WriteAllText(file, $$$"""{"type":"orderbook_delta",{{{sid}}}"seq":1,"msg":{"market_ticker":"A-1",{{{change}}},"side":"no"}}""");

        var failure = Assert.Throws<StartupException>(() => MockKalshiApplication.Build(["--replay", file, "--dialect", dialect]));

        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gz_file_that_is_no_gzip_is_named()
    {
        string file = Path.Combine(_folder.FullName, "broken.jsonl.gz");
        File.WriteAllText(file, "plain text");

        Assert.Contains(file, Assert.Throws<StartupException>(() => MockKalshiApplication.Build(["--replay", file])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_names_the_exchange()
    {
        await using var exchange = await MockExchange.StartStillAsync();

        var health = await exchange.GetAsync("/health");

        Assert.Contains(health["checks"]!.AsArray(), check => (string)check!["name"]! == "exchange" && (string)check["status"]! == "Healthy");
    }

    [Fact]
    public async Task Settings_may_come_by_their_section_and_key()
    {
        await using var exchange = await MockExchange.StartAsync("--Simulation:Markets", "3", "--Simulation:Rate=0");

        Assert.Equal(3, (await exchange.TickersAsync()).Length);
    }
}
