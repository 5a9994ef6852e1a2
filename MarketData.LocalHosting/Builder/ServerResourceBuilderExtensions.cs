using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Programs of the machine as resources.</summary>
public static class ExecutableResourceBuilderExtensions
{
    /// <summary>Adds a program.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">Name of the resource.</param>
    /// <param name="command">A path, or a name to be found on <c>PATH</c>.</param>
    /// <param name="workingDirectory">Directory in which it runs, absolute or from the AppHost's directory.</param>
    /// <param name="args">Arguments.</param>
    public static IResourceBuilder<ExecutableResource> AddExecutable(this IDistributedApplicationBuilder builder, string name, string command, string workingDirectory, params string[]? args) =>
        builder.AddResource(new ExecutableResource(name, command, workingDirectory)).WithArgs(args ?? []);
}

/// <summary>Kafka as a resource.</summary>
public static class KafkaBuilderExtensions
{
    /// <summary>Adds a Kafka broker: here <c>MarketData.LocalKafka</c>, one node with its data on disk.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">Name of the resource and of its connection string.</param>
    /// <param name="port">Port; null: 9092 if it is free, else another.</param>
    public static IResourceBuilder<KafkaServerResource> AddKafka(this IDistributedApplicationBuilder builder, string name, int? port = null) =>
        builder.AddResource(new KafkaServerResource(name))
            .WithNewEndpoint(new EndpointAnnotation(ProtocolType.Tcp, name: "tcp", port: port) { ConventionalPort = 9092 })
            .WithAnnotation(new HealthCheckAnnotation($"{name}_check", "tcp", KafkaCheck.RunAsync));

    /// <summary>Keeps the topics across runs, in a directory of that name below the user's data directory.</summary>
    public static IResourceBuilder<KafkaServerResource> WithDataVolume(this IResourceBuilder<KafkaServerResource> builder, string? name = null) =>
        builder.WithAnnotation(new DataVolumeAnnotation(name ?? $"{builder.Resource.Name}-data"));
}

/// <summary>Redis as a resource.</summary>
public static class RedisBuilderExtensions
{
    /// <summary>Adds a Redis server: here <c>redis-server</c> or <c>valkey-server</c> from <c>PATH</c>, with a generated password.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">Name of the resource and of its connection string.</param>
    /// <param name="port">Port; null: 6379 if it is free, else another.</param>
    public static IResourceBuilder<RedisResource> AddRedis(this IDistributedApplicationBuilder builder, string name, int? port = null)
    {
        var redis = new RedisResource(name);
        return builder.AddResource(redis)
            .WithNewEndpoint(new EndpointAnnotation(ProtocolType.Tcp, name: "tcp", port: port) { ConventionalPort = 6379 })
            .WithAnnotation(new HealthCheckAnnotation($"{name}_check", "tcp", (allocated, cancellationToken) => RedisCheck.RunAsync(allocated, redis.Password, cancellationToken)));
    }

    /// <summary>Keeps the keys across runs (written once a minute when at least one changed), in a directory of that name below the user's data directory.</summary>
    public static IResourceBuilder<RedisResource> WithDataVolume(this IResourceBuilder<RedisResource> builder, string? name = null) =>
        builder.WithAnnotation(new DataVolumeAnnotation(name ?? $"{builder.Resource.Name}-data"));
}

/// <summary>What can be said about containers.</summary>
public static class ContainerResourceBuilderExtensions
{
    /// <summary>Without effect here: every process ends with the AppHost, and what persists is the data volume.</summary>
    public static IResourceBuilder<T> WithLifetime<T>(this IResourceBuilder<T> builder, ContainerLifetime lifetime)
        where T : ContainerResource => builder;
}
