using MarketData.Ingest;
using MarketData.Tests.Unit.ServiceDefaults;

namespace MarketData.Tests.Unit.Ingest;

/// <summary>The ingest service in this process.</summary>
internal static class IngestHost
{
    /// <summary>Takes an exchange's feed to Kafka; no relay.</summary>
    public static Task<ServiceHost> StartUpstreamAsync(string exchange, string kafka, params (string Key, string Value)[] more) => StartAsync(
    [
        ("Relay:Enabled", "false"), ("services:mock-kalshi:http:0", exchange), ("ConnectionStrings:kafka", kafka), ("Upstream:BatchPauseMs", "1"), .. more,
    ]);

    /// <summary>Takes Kafka's log to Redis; no exchange.</summary>
    public static Task<ServiceHost> StartRelayAsync(string kafka, string redis, params (string Key, string Value)[] more) => StartAsync(
    [
        ("Upstream:Enabled", "false"), ("ConnectionStrings:kafka", kafka), ("ConnectionStrings:redis", redis), .. more,
    ]);

    /// <param name="settings">Of several for one key the last counts.</param>
    public static Task<ServiceHost> StartAsync((string Key, string Value)[] settings)
    {
        var builder = ServiceHost.CreateBuilder(settings.GroupBy(setting => setting.Key, setting => (string?)setting.Value).ToDictionary(key => key.Key, key => key.Last()));
        builder.AddIngest();
        return ServiceHost.StartAsync(builder, app => app.MapStats());
    }
}
