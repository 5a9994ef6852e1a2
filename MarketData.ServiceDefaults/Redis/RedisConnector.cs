using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace MarketData.ServiceDefaults.Redis;

/// <summary>Opens hot-path connections to the Redis that a connection string names.</summary>
public sealed class RedisConnector
{
    private readonly ConfigurationOptions _options;

    internal RedisConnector(string connectionString)
    {
        _options = ConfigurationOptions.Parse(connectionString);
        for (int i = 0; i < _options.EndPoints.Count; i++)
        {
            if (_options.EndPoints[i] is DnsEndPoint { Port: 0 } host) _options.EndPoints[i] = new DnsEndPoint(host.Host, DefaultPort);
            else if (_options.EndPoints[i] is IPEndPoint { Port: 0 } address) _options.EndPoints[i] = new IPEndPoint(address.Address, DefaultPort);
        }
    }

    private const int DefaultPort = 6379;

    /// <inheritdoc cref="RespConnection.ConnectAsync"/>
    public Task<RespConnection> ConnectAsync(string clientName, CancellationToken cancellationToken) =>
        RespConnection.ConnectAsync(_options, clientName, cancellationToken);
}

/// <summary>Registration of <see cref="RedisConnector"/>.</summary>
public static class RedisConnectorExtensions
{
    /// <summary>Adds a <see cref="RedisConnector"/> for <c>ConnectionStrings:{connectionName}</c>, which <c>AddRedisClient</c> has made sure of.</summary>
    public static void AddRedisConnector(this IHostApplicationBuilder builder, string connectionName) =>
        builder.Services.AddSingleton(services =>
            new RedisConnector(services.GetRequiredService<IConfiguration>().GetConnectionString(connectionName) ?? string.Empty));
}
