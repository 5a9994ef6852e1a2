using Aspire.Confluent.Kafka;
using Confluent.Kafka;
using MarketData.ServiceDefaults.Health;
using MarketData.ServiceDefaults.Local;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.Hosting;

/// <summary>
/// Registers Kafka producers as <c>Aspire.Confluent.Kafka</c> does, without that package. The overloads are Aspire's, so that a call means the
/// same with either.
/// </summary>
public static class AspireKafkaProducerExtensions
{
    private const string HealthCheckName = "Aspire.Confluent.Kafka.Producer";

    /// <inheritdoc cref="AddKafkaProducer{TKey,TValue}(IHostApplicationBuilder,string,Action{KafkaProducerSettings},Action{IServiceProvider,ProducerBuilder{TKey,TValue}})"/>
    public static void AddKafkaProducer<TKey, TValue>(this IHostApplicationBuilder builder, string connectionName) =>
        builder.AddKafkaProducer(connectionName, null, (Action<IServiceProvider, ProducerBuilder<TKey, TValue>>?)null);

    /// <inheritdoc cref="AddKafkaProducer{TKey,TValue}(IHostApplicationBuilder,string,Action{KafkaProducerSettings},Action{IServiceProvider,ProducerBuilder{TKey,TValue}})"/>
    public static void AddKafkaProducer<TKey, TValue>(
        this IHostApplicationBuilder builder, string connectionName, Action<KafkaProducerSettings>? configureSettings) =>
        builder.AddKafkaProducer(connectionName, configureSettings, (Action<IServiceProvider, ProducerBuilder<TKey, TValue>>?)null);

    /// <inheritdoc cref="AddKafkaProducer{TKey,TValue}(IHostApplicationBuilder,string,Action{KafkaProducerSettings},Action{IServiceProvider,ProducerBuilder{TKey,TValue}})"/>
    public static void AddKafkaProducer<TKey, TValue>(
        this IHostApplicationBuilder builder, string connectionName, Action<ProducerBuilder<TKey, TValue>>? configureBuilder) =>
        builder.AddKafkaProducer<TKey, TValue>(connectionName, null, (_, producer) => configureBuilder?.Invoke(producer));

    /// <inheritdoc cref="AddKafkaProducer{TKey,TValue}(IHostApplicationBuilder,string,Action{KafkaProducerSettings},Action{IServiceProvider,ProducerBuilder{TKey,TValue}})"/>
    public static void AddKafkaProducer<TKey, TValue>(
        this IHostApplicationBuilder builder, string connectionName, Action<IServiceProvider, ProducerBuilder<TKey, TValue>>? configureBuilder) =>
        builder.AddKafkaProducer(connectionName, null, configureBuilder);

    /// <inheritdoc cref="AddKafkaProducer{TKey,TValue}(IHostApplicationBuilder,string,Action{KafkaProducerSettings},Action{IServiceProvider,ProducerBuilder{TKey,TValue}})"/>
    public static void AddKafkaProducer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaProducerSettings>? configureSettings,
        Action<ProducerBuilder<TKey, TValue>>? configureBuilder) =>
        builder.AddKafkaProducer<TKey, TValue>(connectionName, configureSettings, (_, producer) => configureBuilder?.Invoke(producer));

    /// <summary>
    /// Registers a singleton <see cref="IProducer{TKey,TValue}"/>, built when it is first resolved; the cluster need not be up then.
    /// </summary>
    /// <remarks>
    /// Settings come from section <c>Aspire:Confluent:Kafka:Producer</c>, then <c>…:{connectionName}</c>, then
    /// <c>ConnectionStrings:{connectionName}</c>, then <paramref name="configureSettings"/>; librdkafka's own stand in the subsections
    /// <c>Config</c>.
    /// </remarks>
    /// <param name="builder">The application to add to.</param>
    /// <param name="connectionName">Name of the connection string: the cluster's bootstrap servers.</param>
    /// <param name="configureSettings">Called last on the settings.</param>
    /// <param name="configureBuilder">Called on the producer's builder before it builds; handlers set here are kept.</param>
    public static void AddKafkaProducer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaProducerSettings>? configureSettings,
        Action<IServiceProvider, ProducerBuilder<TKey, TValue>>? configureBuilder)
    {
        ArgumentException.ThrowIfNullOrEmpty(connectionName);

        var settings = new KafkaProducerSettings();
        KafkaClientConfiguration.Bind(builder.Configuration, "Producer", connectionName, settings, settings.Config);
        if (builder.Configuration.GetConnectionString(connectionName) is { } connectionString) settings.ConnectionString = connectionString;
        configureSettings?.Invoke(settings);
        if (settings.ConnectionString is not null) settings.Config.BootstrapServers = settings.ConnectionString;
        if (!settings.DisableMetrics) settings.Config.StatisticsIntervalMs ??= KafkaClientMetrics.DefaultIntervalMs;

        RequiredConnectionString.Require(
            builder.Services, connectionName, HealthCheckExtensions.KafkaExample, fallback: settings.Config.BootstrapServers);
        builder.Services.TryAddSingleton<KafkaClientLog>();
        builder.Services.TryAddSingleton<KafkaClientMetrics>();
        builder.Services.AddSingleton(services =>
        {
            var log = services.GetRequiredService<KafkaClientLog>();
            var producer = new ProducerBuilder<TKey, TValue>(settings.Config);
            configureBuilder?.Invoke(services, producer);
            log.SetUnlessSet("log", () => producer.SetLogHandler((_, message) => log.Write(message)));
            if (!settings.DisableMetrics)
            {
                var metrics = services.GetRequiredService<KafkaClientMetrics>();
                log.SetUnlessSet("statistics", () => producer.SetStatisticsHandler((_, json) => metrics.Update(json)));
            }

            return producer.Build();
        });

        if (!settings.DisableHealthChecks) builder.Services.AddKafkaCheck(connectionName, HealthCheckName);
    }
}
