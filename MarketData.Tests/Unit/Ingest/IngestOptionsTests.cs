using Microsoft.Extensions.Options;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>A setting that cannot be used ends the start with a message that says what to set.</summary>
public sealed class IngestOptionsTests
{
    [Theory]
    [InlineData("Upstream:BatchSize", "0", "Upstream:BatchSize must be 1 to 1000 markets.")]
    [InlineData("Upstream:BatchPauseMs", "-1", "Upstream:BatchPauseMs must be 0 to 60000 milliseconds.")]
    [InlineData("Upstream:MarketsPerConnection", "0", "Upstream:MarketsPerConnection must be 1 to 500000 markets.")]
    [InlineData("Upstream:RefreshSeconds", "0", "Upstream:RefreshSeconds must be 1 to 86400 seconds.")]
    [InlineData("Upstream:PageSize", "1001", "Upstream:PageSize must be 1 to 1000 markets.")]
    [InlineData("Upstream:LivenessSeconds", "1", "Upstream:LivenessSeconds must be 2 to 600 seconds.")]
    [InlineData("Upstream:AnswerSeconds", "601", "Upstream:AnswerSeconds must be 1 to 600 seconds.")]
    [InlineData("Upstream:MaxFrameBytes", "1", "Upstream:MaxFrameBytes must be 1024 to 67108864 bytes.")]
    [InlineData("Upstream:MarketStatus", "active", "Upstream:MarketStatus must be open, unopened, paused, closed, settled or empty.")]
    [InlineData("Upstream:MveFilter", "yes", "Upstream:MveFilter must be exclude, only or empty.")]
    [InlineData("Upstream:Series", "A,,B", "Upstream:Series must be series tickers separated by commas.")]
    [InlineData("Upstream:Dialect", "cents", "Upstream:Dialect must be kalshi or seed.")]
    [InlineData("Upstream:KeyId", "id", "set either Upstream:PrivateKeyFile (a PEM file) or Upstream:PrivateKey (its text)")]
    [InlineData("Upstream:PrivateKey", "text", "A private key needs its id: set Upstream:KeyId.")]
    [InlineData("Bootstrap:LookbackMinutes", "0", "Bootstrap:LookbackMinutes must be 1 to 525600 minutes.")]
    [InlineData("Leadership:Topic", "a topic", "Leadership:Topic must be 1 to 249 letters, digits, dots, underscores or hyphens.")]
    [InlineData("Leadership:LeaseMs", "999", "Leadership:LeaseMs must be 1000 to 600000 milliseconds.")]
    [InlineData("Leadership:HeartbeatMs", "1300", "Leadership:HeartbeatMs must be at most a quarter of Leadership:LeaseMs (5000), but is 1300")]
    [InlineData("Upstream:RestUrl", "example.org", "Upstream:RestUrl must be an absolute http or https URL, but is 'example.org'.")]
    [InlineData("Upstream:WebSocketUrl", "http://example.org", "Upstream:WebSocketUrl must be an absolute ws or wss URL, but is 'http://example.org/'.")]
    [InlineData("services:mock-kalshi:http:0", "", "set Upstream:RestUrl and Upstream:WebSocketUrl, or services:mock-kalshi:http:0")]
    [InlineData("Kafka:Topic", "a topic", "Kafka:Topic must be 1 to 249 letters, digits, dots, underscores or hyphens.")]
    [InlineData("Kafka:Partitions", "0", "Kafka:Partitions must be 1 to 10000.")]
    [InlineData("Kafka:RetentionHours", "0", "Kafka:RetentionHours must be 1 to 8760 hours.")]
    [InlineData("Kafka:QueueMessages", "999", "Kafka:QueueMessages must be 1000 to 10000000 messages.")]
    [InlineData("Kafka:QueueMegabytes", "0", "Kafka:QueueMegabytes must be 16 to 65536 MiB.")]
    [InlineData("Relay:SnapshotIntervalMs", "501", "Relay:SnapshotIntervalMs must be 10 to 500 milliseconds.")]
    [InlineData("Relay:CommitIntervalMs", "1", "Relay:CommitIntervalMs must be 10 to 60000 milliseconds.")]
    [InlineData("Relay:KeyExpiryHours", "0", "Relay:KeyExpiryHours must be 1 to 8760 hours.")]
    [InlineData("Relay:BatchMessages", "0", "Relay:BatchMessages must be 1 to 100000 messages.")]
    public async Task A_setting_out_of_range_ends_the_start_with_its_key(string key, string value, string message)
    {
        var settings = new Dictionary<string, string>
        {
            ["services:mock-kalshi:http:0"] = "http://127.0.0.1:1",
            ["ConnectionStrings:kafka"] = "127.0.0.1:1",
            ["ConnectionStrings:redis"] = "127.0.0.1:1",
            [key] = value,
        };
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(
            () => IngestHost.StartAsync([.. settings.Select(setting => (setting.Key, setting.Value))]));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }
}
