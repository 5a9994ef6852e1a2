using MarketData.Gateway.Admission;
using MarketData.Gateway.Clients;
using MarketData.Gateway.Fanout;
using MarketData.Gateway.Feed;
using MarketData.Gateway.Http;
using MarketData.ServiceDefaults.Redis;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway;

/// <summary>Builds the gateway from its command line and environment, in the order of the data's way: feed, admission, clients, HTTP.</summary>
public static class GatewayApplication
{
    // What the client that is told last may take for its closing handshake, and the services for their end.
    private static readonly TimeSpan LastClosing = TimeSpan.FromSeconds(7);

    /// <summary>A host that is ready to run.</summary>
    /// <exception cref="OptionsValidationException">A setting is out of range; the message names its key.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddServiceDefaults();
        // A flush then ends when the kernel has the bytes: what is written to a socket directly cannot overtake the answer to its handshake.
        builder.WebHost.UseSockets(sockets => sockets.MaxWriteBufferSize = 1);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint =>
        {
            endpoint.Use(next => connection => ConnectionTakeover.RunAsync(next, connection));
            var deadline = endpoint.ApplicationServices.GetRequiredService<HandshakeDeadline>();
            endpoint.Use(next => connection => deadline.WatchAsync(next, connection));
        }));
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
        builder.Services.AddSingleton<DeliveryLatency>();

        builder.AddRedisClient("redis", settings => settings.DisableHealthChecks = true);
        builder.AddRedisConnector("redis");
        builder.AddRedisHealthCheck("redis");
        builder.AddKafkaHealthCheck("kafka");

        builder.Services.AddSingleton<FeedInbox>();
        builder.Services.AddSingletonAndHost<RedisSubscriber>();
        builder.Services.AddSingletonAndHost<SnapshotKeys>();
        builder.Services.AddSingletonAndHost<PastTrades>();
        // Before the feed, so that it ends after it.
        builder.Services.AddSingletonAndHost<FanoutService>();
        builder.Services.AddHostedService<FeedLoop>();
        builder.Services.AddHealthChecks().AddCheck<RedisSubscriber>("feed").AddCheck<FanoutService>("fan-out");

        builder.AddAdmission();
        builder.Services.AddSingleton<ConnectedClients>();
        builder.Services.AddSingleton<ClientEndpoint>();
        builder.Services.AddHostedService<ClientSweep>();
        builder.Services.AddSingletonAndHost<ClientDrain>();
        builder.Services.AddHealthChecks().AddCheck<ClientDrain>("clients");
        builder.Services.AddOptions<HostOptions>().Configure<IOptions<AdmissionOptions>>(
            (host, admission) => host.ShutdownTimeout = TimeSpan.FromSeconds(admission.Value.DrainSeconds) + LastClosing);

        builder.Services.AddSingleton<MarketDirectory>();
    }

    private static void MapGateway(this WebApplication app)
    {
        app.UseAdmission();
        // For its check of the request; the rest of the protocol is the clients' part.
        app.UseWebSockets();
        app.Map("/ws/market-data", app.Services.GetRequiredService<ClientEndpoint>().HandleAsync);
        var guarded = app.MapGroup("").AddEndpointFilter<RouteGroupBuilder, CallerFilter>();
        guarded.MapStats();
        guarded.MapMarkets();
    }

    private static void AddSingletonAndHost<TService>(this IServiceCollection services)
        where TService : class, IHostedService
    {
        services.AddSingleton<TService>();
        services.AddHostedService(provider => provider.GetRequiredService<TService>());
    }
}
