using MarketData.Gateway.Clients;
using MarketData.Gateway.Feed;
using MarketData.Gateway.Http;
using MarketData.ServiceDefaults.Redis;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway;

/// <summary>Builds the gateway from its command line and environment, in the order of the data's way: feed, clients, HTTP.</summary>
public static class GatewayApplication
{
    /// <summary>A host that is ready to run.</summary>
    /// <exception cref="OptionsValidationException">A setting is out of range; the message names its key.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddServiceDefaults();
        builder.AddGateway();

        var app = builder.Build();
        app.MapDefaultEndpoints();
        app.MapGateway();
        return app;
    }

    private static void AddGateway(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<GatewayOptions>().BindConfiguration(GatewayOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.TryAddSingleton(TimeProvider.System);
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

    private static void MapGateway(this WebApplication app)
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
