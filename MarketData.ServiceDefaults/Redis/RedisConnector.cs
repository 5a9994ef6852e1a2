using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace MarketData.ServiceDefaults.Redis;

/// <summary>Opens hot-path connections to the Redis that a connection string names.</summary>
public sealed class RedisConnector
{
    private const int DefaultPort = 6379;

    // Read on first use: by then a connection string that cannot be read has been reported with its name.
    private readonly Lazy<ConfigurationOptions> _options;

    internal RedisConnector(IConfiguration configuration, string connectionName) =>
        _options = new Lazy<ConfigurationOptions>(() => Parse(configuration.GetConnectionString(connectionName) ?? string.Empty));

    /// <inheritdoc cref="RespConnection.ConnectAsync"/>
    public Task<RespConnection> ConnectAsync(string clientName, CancellationToken cancellationToken) =>
        RespConnection.ConnectAsync(_options.Value, clientName, cancellationToken);

    private static ConfigurationOptions Parse(string connectionString)
    {
        var options = ConfigurationOptions.Parse(connectionString);
        for (int i = 0; i < options.EndPoints.Count; i++)
        {
            if (options.EndPoints[i] is DnsEndPoint { Port: 0 } host) options.EndPoints[i] = new DnsEndPoint(host.Host, DefaultPort);
            else if (options.EndPoints[i] is IPEndPoint { Port: 0 } address) options.EndPoints[i] = new IPEndPoint(address.Address, DefaultPort);
        }

        return options;
    }
}

/// <summary>Registration of <see cref="RedisConnector"/>.</summary>
public static class RedisConnectorExtensions
{
    /// <summary>Adds a <see cref="RedisConnector"/> for <c>ConnectionStrings:{connectionName}</c>, which <c>AddRedisClient</c> has made sure of.</summary>
    public static void AddRedisConnector(this IHostApplicationBuilder builder, string connectionName) =>
        builder.Services.AddSingleton(services => new RedisConnector(services.GetRequiredService<IConfiguration>(), connectionName));
}
