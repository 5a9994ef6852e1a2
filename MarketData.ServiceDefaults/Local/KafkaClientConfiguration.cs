using Confluent.Kafka;
using Microsoft.Extensions.Configuration;

namespace MarketData.ServiceDefaults.Local;

/// <summary>Where the settings of Kafka clients come from, in Aspire's order.</summary>
internal static class KafkaClientConfiguration
{
    /// <summary>Section <c>Aspire:Confluent:Kafka:{client}</c>, then <c>…:{connectionName}</c> over it, each with its subsection <c>Config</c>.</summary>
    public static void Bind(IConfiguration configuration, string client, string connectionName, object settings, ClientConfig config)
    {
        var section = configuration.GetSection($"Aspire:Confluent:Kafka:{client}");
        foreach (var layer in (IConfigurationSection[])[section, section.GetSection(connectionName)])
        {
            layer.Bind(settings);
            // By itself: a client's configuration is also a sequence, which the binder need not take for an object.
            layer.GetSection("Config").Bind(config);
        }
    }
}
