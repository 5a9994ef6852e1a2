using Confluent.Kafka;
using MarketData.ServiceDefaults.Health;
using MarketData.ServiceDefaults.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.Hosting;

/// <summary>Health checks of what services depend on, the same under Aspire and with local hosting.</summary>
public static class HealthCheckExtensions
{
    internal const string KafkaExample = "127.0.0.1:9092";
    internal const string RedisExample = "127.0.0.1:6379,password=…";

    /// <summary>
    /// Adds a check named <paramref name="connectionName"/> that asks the Kafka cluster for its metadata (at most 2.5 s).
    /// The start fails when <c>ConnectionStrings:{connectionName}</c> is missing; it does not fail when the cluster is down.
    /// </summary>
    /// <param name="builder">The application to add to.</param>
    /// <param name="connectionName">Name of the connection string: the cluster's bootstrap servers.</param>
    public static void AddKafkaHealthCheck(this IHostApplicationBuilder builder, string connectionName)
    {
        RequiredConnectionString.Require(builder.Services, connectionName, KafkaExample);
        builder.Services.AddKafkaCheck(connectionName, checkName: connectionName);
    }

    /// <summary>
    /// Adds a check named <paramref name="connectionName"/> that sends PING through the registered <c>IConnectionMultiplexer</c> (at most 2.5 s).
    /// The start fails when <c>ConnectionStrings:{connectionName}</c> is missing; it does not fail when Redis is down.
    /// </summary>
    /// <param name="builder">The application to add to, which also calls <c>AddRedisClient</c> for the same connection.</param>
    /// <param name="connectionName">Name of the connection string.</param>
    public static void AddRedisHealthCheck(this IHostApplicationBuilder builder, string connectionName)
    {
        RequiredConnectionString.Require(builder.Services, connectionName, RedisExample);
        builder.Services.AddRedisCheck(checkName: connectionName);
    }

    internal static void AddKafkaCheck(this IServiceCollection services, string connectionName, string checkName)
    {
        // One for a connection however many checks ask for it, so that they share one client and one probe.
        services.TryAddKeyedSingleton(connectionName, static (provider, name) => CreateKafkaCheck(provider, (string)name!));
        services.AddCheckOnce(new HealthCheckRegistration(
            checkName, provider => provider.GetRequiredKeyedService<KafkaHealthCheck>(connectionName), failureStatus: null, tags: null));
    }

    internal static void AddRedisCheck(this IServiceCollection services, string checkName)
    {
        services.TryAddSingleton<RedisHealthCheck>();
        services.AddCheckOnce(new HealthCheckRegistration(
            checkName, provider => provider.GetRequiredService<RedisHealthCheck>(), failureStatus: null, tags: null));
    }

    private static void AddCheckOnce(this IServiceCollection services, HealthCheckRegistration registration)
    {
        services.AddBoundedHealthChecks();
        services.Configure<HealthCheckServiceOptions>(options =>
        {
            if (options.Registrations.All(other => other.Name != registration.Name)) options.Registrations.Add(registration);
        });
    }

    private static KafkaHealthCheck CreateKafkaCheck(IServiceProvider services, string connectionName)
    {
        var config = new AdminClientConfig();
        services.ConfigureKafkaClient(connectionName, config);
        config.ClientId = "health";
        return new KafkaHealthCheck(config);
    }
}
