using MarketData.Gateway.Clients;
using MarketData.Gateway.Feed;
using MarketData.Gateway.Http;
using MarketData.ServiceDefaults.Redis;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway;

/// <summary>The stages of the service in the order of the data's way: feed, clients, HTTP.</summary>
public static class GatewayServices
{
    public static void AddGateway(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<GatewayOptions>().BindConfiguration("Gateway").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<GatewayMetrics>();

        builder.AddRedisClient("redis", settings => settings.DisableHealthChecks = true);
        builder.AddRedisConnector("redis");
        builder.AddRedisHealthCheck("redis");
        builder.AddKafkaHealthCheck("kafka");

        builder.Services.AddSingleton<FeedInbox>();
        builder.Services.AddSingletonAndHost<RedisSubscriber>();
        builder.Services.AddSingletonAndHost<SnapshotKeys>();
        builder.Services.AddHostedService<FeedLoop>();
        builder.Services.AddHealthChecks().AddCheck<RedisSubscriber>("feed");

        builder.Services.AddSingleton<ClientEndpoint>();
    }

    public static void MapGateway(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value;
        var ping = TimeSpan.FromSeconds(options.PingSeconds);
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = ping, KeepAliveTimeout = ping });
        app.Map("/ws/market-data", app.Services.GetRequiredService<ClientEndpoint>().HandleAsync);
        app.MapStats();
        app.MapMarkets();
    }

    private static void AddSingletonAndHost<TService>(this IServiceCollection services)
        where TService : class, IHostedService
    {
        services.AddSingleton<TService>();
        services.AddHostedService(provider => provider.GetRequiredService<TService>());
    }
}
