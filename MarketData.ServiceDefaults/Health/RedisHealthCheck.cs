using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace MarketData.ServiceDefaults.Health;

/// <summary>Sends PING through the application's own <see cref="IConnectionMultiplexer"/>: what it reports is what the service has.</summary>
internal sealed class RedisHealthCheck(IServiceProvider services) : IHealthCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2.5);

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        // Resolved here and not in the constructor: the first resolve connects, and may throw.
        var redis = services.GetRequiredService<IConnectionMultiplexer>();
        // Not redis.Configuration, which holds the password.
        var address = string.Join(", ", redis.GetEndPoints().Select(Format));
        try
        {
            var start = Stopwatch.GetTimestamp();
            await redis.GetDatabase().PingAsync().WaitAsync(Timeout, cancellationToken);
            return HealthCheckResult.Healthy($"{address} answered PING in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0.0} ms");
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, $"{address}: {e.Message}");
        }
    }

    private static string? Format(EndPoint endPoint) =>
        endPoint is DnsEndPoint dns ? $"{dns.Host}:{dns.Port}" : endPoint.ToString();
}
