using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace MarketData.ServiceDefaults.Local;

/// <summary>
/// Connects to Redis while the host starts, not before: with Redis down the first attempt may block for the connect timeout (5 s), in which
/// <c>/alive</c> would not answer. A connection string that is wrong stops the host.
/// </summary>
internal sealed class RedisActivation(IServiceProvider services) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.Run(() => _ = services.GetRequiredService<IConnectionMultiplexer>(), stoppingToken);
}
