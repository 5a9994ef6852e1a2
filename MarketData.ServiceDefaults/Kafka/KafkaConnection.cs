using Confluent.Kafka;
using MarketData.ServiceDefaults.Health;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace MarketData.ServiceDefaults.Kafka;

/// <summary>How Kafka clients that a service makes for itself reach the cluster: as its registered producer and consumer do.</summary>
public static class KafkaConnection
{
    // Say soon that the cluster is back.
    private const int ReconnectBackoffMaxMs = 1000;

    /// <summary>
    /// Sets the address, the security settings and whatever else <c>Aspire:Confluent:Kafka:{Consumer,Producer}:Config</c> has for clients.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="connectionName">Name of the connection string, which the start required.</param>
    /// <param name="config">The client's configuration.</param>
    public static void ConfigureKafkaClient(this IServiceProvider services, string connectionName, ClientConfig config)
    {
        var configuration = services.GetRequiredService<IConfiguration>();
        foreach (var client in (string[])["Consumer", "Producer"])
        {
            var section = configuration.GetSection($"Aspire:Confluent:Kafka:{client}");
            section.GetSection("Config").Bind(config);
            section.GetSection($"{connectionName}:Config").Bind(config);
        }

        config.BootstrapServers = services.GetRequiredService<IOptionsMonitor<RequiredConnectionString>>().Get(connectionName).Value;
        config.StatisticsIntervalMs = 0;
        config.ReconnectBackoffMaxMs = ReconnectBackoffMaxMs;
    }
}
