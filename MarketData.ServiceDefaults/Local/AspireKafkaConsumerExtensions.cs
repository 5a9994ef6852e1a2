using Aspire.Confluent.Kafka;
using Confluent.Kafka;
using MarketData.ServiceDefaults.Health;
using MarketData.ServiceDefaults.Local;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.Hosting;

/// <summary>
/// Registers Kafka consumers as <c>Aspire.Confluent.Kafka</c> does, without that package. The overloads are Aspire's, so that a call means the
/// same with either.
/// </summary>
public static class AspireKafkaConsumerExtensions
{
    private const string HealthCheckName = "Aspire.Confluent.Kafka.Consumer";

    /// <inheritdoc cref="AddKafkaConsumer{TKey,TValue}(IHostApplicationBuilder,string,Action{KafkaConsumerSettings},Action{IServiceProvider,ConsumerBuilder{TKey,TValue}})"/>
    public static void AddKafkaConsumer<TKey, TValue>(this IHostApplicationBuilder builder, string connectionName) =>
        builder.AddKafkaConsumer(connectionName, null, (Action<IServiceProvider, ConsumerBuilder<TKey, TValue>>?)null);

    /// <inheritdoc cref="AddKafkaConsumer{TKey,TValue}(IHostApplicationBuilder,string,Action{KafkaConsumerSettings},Action{IServiceProvider,ConsumerBuilder{TKey,TValue}})"/>
    public static void AddKafkaConsumer<TKey, TValue>(
        this IHostApplicationBuilder builder, string connectionName, Action<KafkaConsumerSettings>? configureSettings) =>
        builder.AddKafkaConsumer(connectionName, configureSettings, (Action<IServiceProvider, ConsumerBuilder<TKey, TValue>>?)null);

    /// <inheritdoc cref="AddKafkaConsumer{TKey,TValue}(IHostApplicationBuilder,string,Action{KafkaConsumerSettings},Action{IServiceProvider,ConsumerBuilder{TKey,TValue}})"/>
    public static void AddKafkaConsumer<TKey, TValue>(
        this IHostApplicationBuilder builder, string connectionName, Action<ConsumerBuilder<TKey, TValue>>? configureBuilder) =>
        builder.AddKafkaConsumer<TKey, TValue>(connectionName, null, (_, consumer) => configureBuilder?.Invoke(consumer));

    /// <inheritdoc cref="AddKafkaConsumer{TKey,TValue}(IHostApplicationBuilder,string,Action{KafkaConsumerSettings},Action{IServiceProvider,ConsumerBuilder{TKey,TValue}})"/>
    public static void AddKafkaConsumer<TKey, TValue>(
        this IHostApplicationBuilder builder, string connectionName, Action<IServiceProvider, ConsumerBuilder<TKey, TValue>>? configureBuilder) =>
        builder.AddKafkaConsumer(connectionName, null, configureBuilder);

    /// <inheritdoc cref="AddKafkaConsumer{TKey,TValue}(IHostApplicationBuilder,string,Action{KafkaConsumerSettings},Action{IServiceProvider,ConsumerBuilder{TKey,TValue}})"/>
    public static void AddKafkaConsumer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaConsumerSettings>? configureSettings,
        Action<ConsumerBuilder<TKey, TValue>>? configureBuilder) =>
        builder.AddKafkaConsumer<TKey, TValue>(connectionName, configureSettings, (_, consumer) => configureBuilder?.Invoke(consumer));

    /// <summary>
    /// Registers a singleton <see cref="IConsumer{TKey,TValue}"/>, built when it is first resolved; the cluster need not be up then.
    /// </summary>
    /// <remarks>
    /// Settings come from section <c>Aspire:Confluent:Kafka:Consumer</c>, then <c>…:{connectionName}</c>, then
    /// <c>ConnectionStrings:{connectionName}</c>, then <paramref name="configureSettings"/>; librdkafka's own stand in the subsections
    /// <c>Config</c>. <c>GroupId</c> is required; without it the resolve throws <see cref="InvalidOperationException"/>.
    /// </remarks>
    /// <param name="builder">The application to add to.</param>
    /// <param name="connectionName">Name of the connection string: the cluster's bootstrap servers.</param>
    /// <param name="configureSettings">Called last on the settings.</param>
    /// <param name="configureBuilder">Called on the consumer's builder before it builds; handlers set here are kept.</param>
    public static void AddKafkaConsumer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaConsumerSettings>? configureSettings,
        Action<IServiceProvider, ConsumerBuilder<TKey, TValue>>? configureBuilder)
    {
        ArgumentException.ThrowIfNullOrEmpty(connectionName);

        var settings = new KafkaConsumerSettings();
        KafkaClientConfiguration.Bind(builder.Configuration, "Consumer", connectionName, settings, settings.Config);
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
            if (string.IsNullOrEmpty(settings.Config.GroupId))
            {
                throw new InvalidOperationException(
                    $"The Kafka consumer for connection \"{connectionName}\" has no consumer group: set Aspire:Confluent:Kafka:Consumer:Config:GroupId, or Config.GroupId of its settings.");
            }

            var log = services.GetRequiredService<KafkaClientLog>();
            var consumer = new ConsumerBuilder<TKey, TValue>(settings.Config);
            configureBuilder?.Invoke(services, consumer);
            log.SetUnlessSet("log", () => consumer.SetLogHandler((_, message) => log.Write(message)));
            if (!settings.DisableMetrics)
            {
                var metrics = services.GetRequiredService<KafkaClientMetrics>();
                log.SetUnlessSet("statistics", () => consumer.SetStatisticsHandler((_, json) => metrics.Update(json)));
            }

            return consumer.Build();
        });

        if (!settings.DisableHealthChecks) builder.Services.AddKafkaCheck(connectionName, HealthCheckName);
    }
}
