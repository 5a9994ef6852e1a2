using Confluent.Kafka;
using MarketData.Domain.Channels;
using MarketData.Ingest.Bootstrap;
using MarketData.Ingest.Leadership;
using MarketData.Ingest.Pipeline;
using MarketData.Ingest.Relay;
using MarketData.Ingest.Upstream;
using MarketData.ServiceDefaults.Redis;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest;

/// <summary>The stages of the service in the order of the data's way: bootstrap, upstream, pipeline, relay.</summary>
public static class IngestServices
{
    private const int MaxKafkaBackoffMs = 1000;

    public static void AddIngest(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IngestMetrics>();
        builder.Services.AddSingleton<StageLatencies>();
        builder.Services.AddHostedService<SummaryLog>();
        // Everything that is handed over or acknowledged at the end is bounded by 5 s, and goes on side by side.
        builder.Services.Configure<HostOptions>(host => (host.ServicesStopConcurrently, host.ShutdownTimeout) = (true, TimeSpan.FromSeconds(10)));

        builder.AddOptions<KafkaOptions>("Kafka");
        builder.AddKafkaHealthCheck("kafka");
        builder.AddProducer();
        builder.Services.AddSingleton<KafkaTopic>();
        if (builder.Configuration.GetValue("Upstream:Enabled", true)) builder.AddUpstream();
        if (builder.Configuration.GetValue("Relay:Enabled", true)) builder.AddRelay();
    }

    private static void AddUpstream(this IHostApplicationBuilder builder)
    {
        builder.AddOptions<UpstreamOptions>("Upstream");
        builder.Services.AddSingleton<IValidateOptions<UpstreamOptions>, UpstreamValidation>();
        builder.Services.AddHttpClient<MarketDiscovery>();
        builder.Services.AddHttpClient<TradeHistory>();
        builder.Services.AddSingleton<MarketDirectory>();
        builder.Services.AddSingleton<TradeFiller>();
        builder.Services.AddSingleton<RequestSigner>();
        builder.Services.AddSingleton<UpstreamStatus>();
        builder.AddOptions<LeadershipOptions>("Leadership");
        builder.Services.AddSingleton<IValidateOptions<LeadershipOptions>, LeadershipValidation>();
        builder.Services.AddSingleton<LeadershipStatus>();
        builder.Services.AddSingleton<Lease>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Lease>());
        builder.AddOptions<BootstrapOptions>("Bootstrap");
        builder.Services.AddSingleton<BootstrapStatus>();
        builder.Services.AddSingleton<LogBootstrap>();
        builder.Services.AddSingleton<TrackedMarkets>();
        builder.Services.AddSingleton<EnvelopeStage>();
        builder.Services.AddSingleton<FramePipeline>();
        builder.Services.AddSingleton<KafkaSink>();
        builder.Services.AddHostedService<UpstreamService>();
        builder.Services.AddHealthChecks().AddCheck<LeadershipStatus>("leadership").AddCheck<BootstrapStatus>("bootstrap").AddCheck<UpstreamStatus>("exchange").AddCheck<TradeFiller>("trades").AddCheck<KafkaSink>("publishing");
    }

    private static void AddProducer(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ProducerRenewal>();
        var options = builder.Configuration.GetSection("Kafka").Get<KafkaOptions>() ?? new KafkaOptions();
        builder.AddKafkaProducer<byte[], byte[]>(
            "kafka",
            settings =>
            {
                settings.DisableHealthChecks = true;
                settings.Config.EnableIdempotence = true;
                settings.Config.Acks = Acks.All;
                settings.Config.CompressionType = CompressionType.Lz4;
                settings.Config.LingerMs = 5;
                // A Kafka outage costs delay, never a trade: librdkafka retries for ever, and when its queue is full the socket is read no further.
                settings.Config.MessageTimeoutMs = 0;
                // The client is built before the options are validated, and its own message would not name the key.
                settings.Config.QueueBufferingMaxMessages = Math.Max(options.QueueMessages, 1);
                settings.Config.QueueBufferingMaxKbytes = Math.Max(options.QueueMegabytes << 10, 1);
                settings.Config.ReconnectBackoffMaxMs = MaxKafkaBackoffMs;
                // Only whether it was delivered is looked at.
                settings.Config.DeliveryReportFields = "none";
            },
            (services, producer) => services.GetRequiredService<ProducerRenewal>().Attach(producer));
    }

    private static void AddRelay(this IHostApplicationBuilder builder)
    {
        builder.AddOptions<RelayOptions>("Relay");
        builder.Services.AddSingleton<RelayAssignment>();
        builder.AddKafkaConsumer<Ignore, byte[]>(
            "kafka",
            settings =>
            {
                settings.DisableHealthChecks = true;
                settings.Config.GroupId = KafkaNames.RelayGroup;
                settings.Config.EnableAutoCommit = false;
                settings.Config.EnableAutoOffsetStore = false;
                // Headers, timestamps and topic names are not looked at, and cost a call into the library each.
                settings.Config.ConsumeResultFields = "none";
                settings.Config.AutoOffsetReset = AutoOffsetReset.Earliest;
                // A relay that was killed leaves its partitions to another after this time, the shortest that brokers take; by default after 45 s.
                settings.Config.SessionTimeoutMs = 6000;
                settings.Config.HeartbeatIntervalMs = 1500;
                settings.Config.QueuedMaxMessagesKbytes = 16 << 10;
                // A full queue is empty again within a few hundred milliseconds; by default the next fetch would come after a second.
                settings.Config.FetchQueueBackoffMs = 20;
                settings.Config.ReconnectBackoffMaxMs = MaxKafkaBackoffMs;
            },
            (services, consumer) => services.GetRequiredService<RelayAssignment>().Attach(consumer));
        builder.AddRedisClient("redis", settings => settings.DisableHealthChecks = true);
        builder.AddRedisHealthCheck("redis");
        builder.AddRedisConnector("redis");
        builder.Services.AddSingleton<RelayMarkets>();
        builder.Services.AddSingleton<RelayOffsets>();
        builder.Services.AddSingleton<RelayFences>();
        builder.Services.AddSingleton<RelayRecovery>();
        builder.Services.AddSingleton<RelayPublisher>();
        builder.Services.AddSingleton<RelayStatus>();
        builder.Services.AddHostedService<RelayService>();
        builder.Services.AddHealthChecks().AddCheck<RelayStatus>("relay");
    }

    private static void AddOptions<TOptions>(this IHostApplicationBuilder builder, string section)
        where TOptions : class =>
        builder.Services.AddOptions<TOptions>().BindConfiguration(section).ValidateDataAnnotations().ValidateOnStart();
}
