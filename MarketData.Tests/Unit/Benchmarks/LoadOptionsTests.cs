using MarketData.Benchmarks.Load;

namespace MarketData.Tests.Unit.Benchmarks;

public sealed class LoadOptionsTests
{
    [Fact]
    public void A_scenario_sets_what_is_not_said_otherwise()
    {
        var options = LoadOptions.Parse(["s3", "--rate", "7", "--channels", "{market}:trade, *:ticker_v2", "--markets", "20", "--per-client", "3"]);

        Assert.Equal((10_000, 7, 3), (options.Clients, options.Rate, options.PerClient));
        Assert.Equal(["{market}:trade", "*:ticker_v2"], options.Channels);
        Assert.Equal((20, "LOAD-20"), (options.Markets.Count, options.Markets[^1]));
    }

    [Fact]
    public void A_gateway_on_this_machine_is_taken()
    {
        var options = LoadOptions.Parse(["--gateway", "http://localhost:8084", "--redis", "127.0.0.1:6379", "--pid", "17"]);

        Assert.Equal(("127.0.0.1:8084", "127.0.0.1:6379", 17), (options.Gateway?.ToString(), options.Redis, options.ProcessId));
    }

    [Theory]
    [InlineData("s9", "'s9' is no scenario")]
    [InlineData("--clients 0", "--clients must be a number from 1")]
    [InlineData("--clients many", "--clients must be a number")]
    [InlineData("--clients", "--clients needs a value")]
    [InlineData("--speed 3", "no option '--speed'")]
    [InlineData("--kind quote", "--kind must be trade or book")]
    [InlineData("--json yes", "--json must be true or false")]
    [InlineData("--markets A:B", "'A:B' is no ticker")]
    [InlineData("--clients 5 --check 6", "--check 6 is more than --clients 5")]
    [InlineData("--per-client 2", "--per-client 2 is more than the 1 of --markets")]
    [InlineData("--gateway http://example.com:80", "--gateway must be on this machine")]
    [InlineData("--gateway http://10.0.0.1:80", "--gateway must be on this machine")]
    [InlineData("--gateway nowhere", "--gateway must be an address with a port")]
    [InlineData("--redis 127.0.0.1:6379", "--redis goes with --gateway")]
    [InlineData("--pid 5", "--pid goes with --gateway")]
    public void A_wrong_option_is_named(string arguments, string message)
    {
        var exception = Assert.Throws<FormatException>(() => LoadOptions.Parse(arguments.Split(' ')));

        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }
}
