using MarketData.LocalKafka.Api;
using MarketData.LocalKafka.Groups;
using MarketData.LocalKafka.Log;

namespace MarketData.LocalKafka.Server;

/// <summary>Puts the broker together.</summary>
internal static class BrokerServices
{
    public static IServiceCollection AddBroker(this IServiceCollection services, BrokerOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new DataDirectory(options.DataDirectory));
        services.AddSingleton(provider => new BrokerIdentity(provider.GetRequiredService<DataDirectory>().LoadClusterId(), options.AdvertisedHost));
        services.AddSingleton(provider => new ProducerIds(provider.GetRequiredService<DataDirectory>().ProducerIdsPath));
        services.AddSingleton<TopicRegistry>();
        services.AddSingleton<GroupCoordinator>();
        services.AddSingleton<GroupOffsets>();
        services.AddSingleton<LogMaintenance>();
        services.AddHostedService(provider => provider.GetRequiredService<LogMaintenance>());
        foreach (var api in typeof(IApi).Assembly.GetTypes().Where(type => type.IsClass && type.IsAssignableTo(typeof(IApi)) && type != typeof(ApiVersionsApi)))
            services.AddSingleton(typeof(IApi), api);
        services.AddSingleton<BrokerMetrics>();
        services.AddSingleton<ApiTable>();
        services.AddHostedService<OffsetRetention>();
        services.AddHostedService<KafkaListener>();
        return services;
    }
}
