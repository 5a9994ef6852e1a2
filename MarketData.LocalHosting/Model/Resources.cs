using System.Collections.ObjectModel;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Something said about a resource: an endpoint, a wait, a variable of its environment.</summary>
public interface IResourceAnnotation;

/// <summary>A part of the topology.</summary>
public interface IResource
{
    /// <summary>The name, unique in the topology.</summary>
    string Name { get; }

    /// <summary>All that was said about the resource, in the order in which it was said.</summary>
    ResourceAnnotationCollection Annotations { get; }
}

/// <summary>The annotations of one resource.</summary>
public sealed class ResourceAnnotationCollection : Collection<IResourceAnnotation>;

/// <summary>A resource whose processes take environment variables.</summary>
public interface IResourceWithEnvironment : IResource;

/// <summary>A resource whose processes take command line arguments.</summary>
public interface IResourceWithArgs : IResource;

/// <summary>A resource that listens.</summary>
public interface IResourceWithEndpoints : IResource;

/// <summary>A resource whose start can wait for another.</summary>
public interface IResourceWithWaitSupport : IResource;

/// <summary>A resource that others find through <c>services__{name}__{scheme}__{n}</c>.</summary>
public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;

/// <summary>A resource that others find through <c>ConnectionStrings__{name}</c>.</summary>
public interface IResourceWithConnectionString : IResource
{
    /// <summary>The connection string, known once the application has started.</summary>
    ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default);
}

/// <summary>Base of every resource.</summary>
public abstract class Resource(string name) : IResource
{
    /// <inheritdoc />
    public string Name { get; } = ResourceName.Validate(name);

    /// <inheritdoc />
    public ResourceAnnotationCollection Annotations { get; } = [];

    /// <inheritdoc />
    public override string ToString() => Name;
}

/// <summary>A .NET project of the solution, run from its build output.</summary>
public class ProjectResource(string name) : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithServiceDiscovery, IResourceWithWaitSupport;

/// <summary>A program of the machine.</summary>
public class ExecutableResource(string name, string command, string workingDirectory)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport
{
    /// <summary>The program: a path, or a name to be found on <c>PATH</c>.</summary>
    public string Command { get; } = command;

    /// <summary>The directory in which it runs, absolute or from the AppHost's directory.</summary>
    public string WorkingDirectory { get; } = workingDirectory;
}

/// <summary>With Aspire a container; here a program that does the container's work as a child process.</summary>
public abstract class ContainerResource(string name) : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport;

/// <summary>A Kafka broker: here <c>MarketData.LocalKafka</c>.</summary>
public class KafkaServerResource(string name) : ContainerResource(name), IResourceWithConnectionString
{
    /// <summary>The endpoint for clients.</summary>
    public EndpointReference PrimaryEndpoint => this.GetEndpoint("tcp");

    /// <inheritdoc />
    public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) =>
        new($"{PrimaryEndpoint.Host}:{PrimaryEndpoint.Port}");
}

/// <summary>A Redis server: here <c>redis-server</c> or <c>valkey-server</c> of the machine.</summary>
public class RedisResource(string name) : ContainerResource(name), IResourceWithConnectionString
{
    /// <summary>The endpoint for clients.</summary>
    public EndpointReference PrimaryEndpoint => this.GetEndpoint("tcp");

    /// <summary>Set when the application starts: generated once per data directory, or the parameter <c>{name}-password</c>.</summary>
    internal string? Password { get; set; }

    /// <inheritdoc />
    public ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) =>
        new($"{PrimaryEndpoint.Host}:{PrimaryEndpoint.Port},password={Password}");
}

/// <summary>How long a container lives. Here every process ends with the AppHost; data volumes persist either way.</summary>
public enum ContainerLifetime
{
    /// <summary>As long as the AppHost.</summary>
    Session,

    /// <summary>With Aspire, across AppHost runs.</summary>
    Persistent,
}

/// <summary>A value from outside: <c>Parameters:{name}</c> of the AppHost's configuration, or <c>Parameters:{name_with_underscores}</c>. Has no process.</summary>
public class ParameterResource(string name, bool secret) : Resource(name)
{
    /// <summary>Whether the value is to be kept from sight; here none is shown.</summary>
    public bool Secret { get; } = secret;

    internal string ValueFrom(IConfiguration configuration) =>
        configuration[$"Parameters:{Name}"] ?? configuration[$"Parameters:{Name.Replace('-', '_')}"]
        ?? throw new DistributedApplicationException(
            $"Parameter '{Name}' has no value: set it with 'dotnet user-secrets set Parameters:{Name} VALUE --project MarketData.AppHost', the variable Parameters__{Name.Replace('-', '_')} or --Parameters:{Name} VALUE.");
}
