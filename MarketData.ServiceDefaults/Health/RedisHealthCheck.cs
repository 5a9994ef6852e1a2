using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace MarketData.ServiceDefaults.Health;

/// <summary>
/// Sends PING through the application's own <see cref="IConnectionMultiplexer"/>: what it reports is what the service has. Thread-safe.
/// </summary>
internal sealed class RedisHealthCheck(IServiceProvider services) : IHealthCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2.5);

    private readonly Lock _gate = new();
    private Task<IConnectionMultiplexer>? _resolve; // guarded by _gate

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        IConnectionMultiplexer redis;
        try
        {
            redis = await ResolveAsync().WaitAsync(Timeout, cancellationToken);
        }
        catch (TimeoutException)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, "the first attempt to connect is still running");
        }

        // Not redis.Configuration, which holds the password.
        var endPoints = redis.GetEndPoints();
        var address = string.Join(", ", endPoints.Select(Format));

        string failure;
        if (redis.IsConnected)
        {
            var start = Stopwatch.GetTimestamp();
            try
            {
                await redis.GetDatabase().PingAsync().WaitAsync(Timeout, cancellationToken);
                return HealthCheckResult.Healthy($"{address} answered PING in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0.0} ms");
            }
            catch (TimeoutException)
            {
                failure = $"{address}: no answer to PING within {Timeout.TotalSeconds} s";
            }
            catch (RedisConnectionException e)
            {
                // Its message is a paragraph of the client's internals.
                failure = $"{address}: the connection failed ({e.FailureType}); the client reconnects";
            }
            catch (RedisException e)
            {
                failure = $"{address}: {e.Message}";
            }
        }
        else
        {
            // A PING would wait in the client's backlog, and say no more than that it did.
            var reasons = await Task.WhenAll(endPoints.Select(endPoint => WhyNotConnectedAsync(endPoint, cancellationToken)));
            failure = string.Join("; ", reasons);
        }

        return new HealthCheckResult(context.Registration.FailureStatus, failure);
    }

    /// <summary>
    /// The first resolve connects, which blocks its thread and may throw: so not in the constructor, and one thread however many ask.
    /// </summary>
    private Task<IConnectionMultiplexer> ResolveAsync()
    {
        lock (_gate)
        {
            if (_resolve is null or { IsFaulted: true }) _resolve = Task.Run(services.GetRequiredService<IConnectionMultiplexer>);
            return _resolve;
        }
    }

    private static async Task<string> WhyNotConnectedAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        if (endPoint is not (IPEndPoint or DnsEndPoint)) return $"not connected to {Format(endPoint)}";
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(endPoint, cancellationToken).AsTask().WaitAsync(Timeout, cancellationToken);
            return $"not connected to {Format(endPoint)}, though it accepts connections: reconnecting, or the password or the ssl setting is wrong";
        }
        catch (SocketException e)
        {
            return $"not connected to {Format(endPoint)}: {e.Message}";
        }
        catch (TimeoutException)
        {
            return $"not connected to {Format(endPoint)}: it did not accept a connection within {Timeout.TotalSeconds} s";
        }
    }

    private static string? Format(EndPoint endPoint) =>
        endPoint is DnsEndPoint dns ? $"{dns.Host}:{dns.Port}" : endPoint.ToString();
}
