using Aspire.StackExchange.Redis;
using MarketData.ServiceDefaults.Health;
using MarketData.ServiceDefaults.Local;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace Microsoft.Extensions.Hosting;

/// <summary>Registers the Redis client as <c>Aspire.StackExchange.Redis</c> does, without that package.</summary>
public static class AspireRedisExtensions
{
    private const string SectionName = "Aspire:StackExchange:Redis";
    private const string HealthCheckName = "StackExchange.Redis";

    /// <summary>
    /// Registers a singleton <see cref="IConnectionMultiplexer"/>. It connects when the host starts, starts also when Redis is down, and goes on
    /// trying.
    /// </summary>
    /// <remarks>
    /// Settings come from section <c>Aspire:StackExchange:Redis</c>, then <c>…:{connectionName}</c>, then
    /// <c>ConnectionStrings:{connectionName}</c>, then <paramref name="configureSettings"/>. The options are the connection string's, then those of
    /// the subsections <c>ConfigurationOptions</c>, then <paramref name="configureOptions"/>.
    /// </remarks>
    /// <param name="builder">The application to add to.</param>
    /// <param name="connectionName">Name of the connection string.</param>
    /// <param name="configureSettings">Called last on the settings.</param>
    /// <param name="configureOptions">Called last on the client's options.</param>
    public static void AddRedisClient(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<StackExchangeRedisSettings>? configureSettings = null,
        Action<ConfigurationOptions>? configureOptions = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(connectionName);

        var section = builder.Configuration.GetSection(SectionName);
        var namedSection = section.GetSection(connectionName);
        var settings = new StackExchangeRedisSettings();
        section.Bind(settings);
        namedSection.Bind(settings);
        if (builder.Configuration.GetConnectionString(connectionName) is { } connectionString) settings.ConnectionString = connectionString;
        configureSettings?.Invoke(settings);

        RequiredConnectionString.Require(builder.Services, connectionName, HealthCheckExtensions.RedisExample, settings.ConnectionString);
        builder.Services.TryAddSingleton<RedisConnectionLog>();
        builder.Services.AddSingleton<IConnectionMultiplexer>(services =>
        {
            var options = Parse(settings.ConnectionString ?? "", connectionName);
            // Only the default: abortConnect=true in the connection string still holds.
            if (options.Defaults.GetType() == typeof(DefaultOptionsProvider)) options.Defaults = new KeepTrying();
            section.GetSection("ConfigurationOptions").Bind(options);
            namedSection.GetSection("ConfigurationOptions").Bind(options);
            configureOptions?.Invoke(options);
            var redis = ConnectionMultiplexer.Connect(options);
            services.GetRequiredService<RedisConnectionLog>().Follow(redis);
            return redis;
        });

        if (!settings.DisableAutoActivation) builder.Services.AddHostedService<RedisActivation>();
        if (!settings.DisableHealthChecks) builder.Services.AddRedisCheck(HealthCheckName);
    }

    private static ConfigurationOptions Parse(string connectionString, string connectionName)
    {
        try
        {
            var options = ConfigurationOptions.Parse(connectionString);
            // An address that cannot be read is left out without a word.
            return options.EndPoints.Count > 0 ? options : throw new ArgumentException("no address that can be read");
        }
        catch (ArgumentException e)
        {
            throw new InvalidOperationException(
                $"ConnectionStrings:{connectionName} is no Redis connection string ({e.Message}); right would be for example {HealthCheckExtensions.RedisExample}", e);
        }
    }

    /// <summary>A service that starts before Redis waits for it instead of dying.</summary>
    private sealed class KeepTrying : DefaultOptionsProvider
    {
        public override bool AbortOnConnectFail => false;
    }
}
