using Aspire.Confluent.Kafka;
using Aspire.StackExchange.Redis;
using Confluent.Kafka;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace MarketData.Tests.Unit.ServiceDefaults.Local;

/// <summary>Sections and their precedence are Aspire's.</summary>
public sealed class ClientSettingsTests
{
    [Fact]
    public void A_connections_own_section_stands_over_the_common_one_and_the_delegate_over_both()
    {
        var builder = ServiceHost.CreateBuilder(new()
        {
            ["Aspire:Confluent:Kafka:Producer:Config:LingerMs"] = "5",
            ["Aspire:Confluent:Kafka:Producer:Config:CompressionType"] = "Lz4",
            ["Aspire:Confluent:Kafka:Producer:Config:ClientId"] = "common",
            ["Aspire:Confluent:Kafka:Producer:DisableMetrics"] = "true",
            ["Aspire:Confluent:Kafka:Producer:kafka:Config:ClientId"] = "own",
            ["Aspire:Confluent:Kafka:Producer:kafka:Config:LingerMs"] = "7",
            ["Aspire:Confluent:Kafka:Producer:other:Config:ClientId"] = "other",
        });

        var settings = AddProducer(builder, settings => settings.Config.LingerMs = 9);

        Assert.Equal(("own", 9.0, CompressionType.Lz4), (settings.Config.ClientId, settings.Config.LingerMs, settings.Config.CompressionType));
        Assert.True(settings.DisableMetrics);
        Assert.Null(settings.Config.StatisticsIntervalMs);
    }

    [Theory]
    [InlineData(null, null, "section:1")]
    [InlineData("named:1", null, "named:1")]
    [InlineData("named:1", "string:1", "string:1")]
    public void The_connection_string_overrides_the_sections(string? named, string? connectionString, string expected)
    {
        var configured = new Dictionary<string, string?> { ["Aspire:Confluent:Kafka:Producer:ConnectionString"] = "section:1" };
        if (named is not null) configured["Aspire:Confluent:Kafka:Producer:kafka:ConnectionString"] = named;
        if (connectionString is not null) configured["ConnectionStrings:kafka"] = connectionString;

        var settings = AddProducer(ServiceHost.CreateBuilder(configured), _ => { });

        Assert.Equal((expected, 1000), (settings.Config.BootstrapServers, settings.Config.StatisticsIntervalMs));
    }

    [Fact]
    public async Task Clients_are_singletons_and_keep_the_handlers_of_their_builder()
    {
        var builder = ServiceHost.CreateBuilder(new()
        {
            ["ConnectionStrings:kafka"] = "127.0.0.1:1",
            ["Aspire:Confluent:Kafka:Consumer:Config:GroupId"] = "market-data-redis-publisher",
        });
        var logged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        builder.AddKafkaProducer<string, byte[]>("kafka", configureBuilder: producer => producer.SetLogHandler((_, _) => logged.TrySetResult()));
        builder.AddKafkaConsumer<string, byte[]>("kafka");
        await using var app = builder.Build();

        var producer = app.Services.GetRequiredService<IProducer<string, byte[]>>();
        var consumer = app.Services.GetRequiredService<IConsumer<string, byte[]>>();

        Assert.Same(producer, app.Services.GetRequiredService<IProducer<string, byte[]>>());
        Assert.Same(consumer, app.Services.GetRequiredService<IConsumer<string, byte[]>>());
        // Nothing listens on port 1, which librdkafka logs.
        await logged.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_consumer_without_a_group_says_which_setting_is_missing()
    {
        var builder = ServiceHost.CreateBuilder(new() { ["ConnectionStrings:kafka"] = "127.0.0.1:1" });
        builder.AddKafkaConsumer<string, byte[]>("kafka", configureSettings: settings => settings.Config.ClientId = "x");
        await using var app = builder.Build();

        var error = Assert.Throws<InvalidOperationException>(() => app.Services.GetRequiredService<IConsumer<string, byte[]>>());

        Assert.Contains("Aspire:Confluent:Kafka:Consumer:Config:GroupId", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_checks_have_Aspires_names_once_each_unless_disabled()
    {
        var builder = ServiceHost.CreateBuilder(new() { ["Aspire:Confluent:Kafka:Consumer:DisableHealthChecks"] = "true" });
        builder.AddKafkaProducer<string, byte[]>("kafka");
        builder.AddKafkaProducer<Null, string>("kafka");
        builder.AddKafkaConsumer<string, byte[]>("kafka");
        builder.AddRedisClient("redis");
        await using var app = builder.Build();

        var checks = app.Services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations;

        Assert.Equal(["self", "Aspire.Confluent.Kafka.Producer", "StackExchange.Redis"], checks.Select(check => check.Name));
    }

    [Fact]
    public async Task Redis_options_come_from_the_connection_string_then_the_sections_then_the_delegate()
    {
        using var closed = new ClosedPort();
        var builder = ServiceHost.CreateBuilder(new()
        {
            ["Aspire:StackExchange:Redis:ConnectionString"] = "section:1",
            ["Aspire:StackExchange:Redis:ConfigurationOptions:ClientName"] = "common",
            ["Aspire:StackExchange:Redis:ConfigurationOptions:KeepAlive"] = "11",
            ["Aspire:StackExchange:Redis:redis:ConfigurationOptions:ClientName"] = "own",
            ["ConnectionStrings:redis"] = $"{closed.Address},connectTimeout=100,connectRetry=1,keepAlive=7",
        });
        StackExchangeRedisSettings? seen = null;
        ConfigurationOptions? options = null;
        builder.AddRedisClient("redis", settings => seen = settings, configureOptions: redis => options = redis);
        await using var app = builder.Build();

        var multiplexer = app.Services.GetRequiredService<IConnectionMultiplexer>();

        Assert.False(multiplexer.IsConnected);
        Assert.StartsWith(closed.Address, seen!.ConnectionString, StringComparison.Ordinal);
        Assert.Equal(("own", 11, 100, false), (options!.ClientName, options.KeepAlive, options.ConnectTimeout, options.AbortOnConnectFail));
    }

    [Fact]
    public async Task A_malformed_Redis_connection_string_is_named()
    {
        var builder = ServiceHost.CreateBuilder(new() { ["ConnectionStrings:redis"] = "127.0.0.1:1,pasword=x" });
        builder.AddRedisClient("redis");
        await using var app = builder.Build();

        var error = Assert.Throws<InvalidOperationException>(() => app.Services.GetRequiredService<IConnectionMultiplexer>());

        Assert.Contains("ConnectionStrings:redis", error.Message, StringComparison.Ordinal);
        Assert.Contains("pasword", error.Message, StringComparison.Ordinal);
    }

    private static KafkaProducerSettings AddProducer(WebApplicationBuilder builder, Action<KafkaProducerSettings> configure)
    {
        KafkaProducerSettings? seen = null;
        builder.AddKafkaProducer<string, byte[]>("kafka", configureSettings: settings =>
        {
            configure(settings);
            seen = settings;
        });
        return seen!;
    }
}
