using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>What can be said about resources of every kind.</summary>
public static class ResourceBuilderExtensions
{
    /// <summary>Adds arguments to the command line.</summary>
    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, params string[] args)
        where T : IResourceWithArgs => builder.WithAnnotation(new CommandLineArgsAnnotation(args));

    /// <summary>Sets an environment variable.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return builder.WithVariables((variables, _) =>
        {
            variables[name] = value ?? "";
            return ValueTask.CompletedTask;
        });
    }

    /// <summary>Sets an environment variable to a parameter's value.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, IResourceBuilder<ParameterResource> parameter)
        where T : IResourceWithEnvironment
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return builder.WithVariables((variables, _) =>
        {
            variables[name] = parameter.Resource.ValueFrom(parameter.ApplicationBuilder.Configuration);
            return ValueTask.CompletedTask;
        });
    }

    /// <summary>Gives the connection string of <paramref name="source"/> as <c>ConnectionStrings__{name}</c>, and its parts as <c>{NAME}_HOST</c>, <c>{NAME}_PORT</c> and so on.</summary>
    /// <param name="builder">The consumer.</param>
    /// <param name="source">The resource with the connection string.</param>
    /// <param name="connectionName">Name of the connection string; null: the name of the resource.</param>
    /// <param name="optional">Without effect here: every connection string is known.</param>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder,
        IResourceBuilder<IResourceWithConnectionString> source, string? connectionName = null, bool optional = false)
        where TDestination : IResourceWithEnvironment
    {
        var name = connectionName ?? source.Resource.Name;
        return builder.WithVariables(async (variables, cancellationToken) =>
        {
            variables[$"ConnectionStrings__{name}"] = await source.Resource.GetConnectionStringAsync(cancellationToken) ?? "";
            var prefix = ResourceName.ToVariablePrefix(name);
            if (source.Resource is IResourceWithEndpoints withEndpoints && withEndpoints.GetEndpoint("tcp") is var endpoint)
            {
                variables[$"{prefix}_HOST"] = endpoint.Host;
                variables[$"{prefix}_PORT"] = FormattableString.Invariant($"{endpoint.Port}");
                if (source.Resource is RedisResource { Password: { } password })
                {
                    variables[$"{prefix}_PASSWORD"] = password;
                    variables[$"{prefix}_URI"] = $"redis://:{Uri.EscapeDataString(password)}@{endpoint.Host}:{endpoint.Port}";
                }
            }
        });
    }

    /// <summary>Gives the endpoints of <paramref name="source"/> as <c>services__{name}__{scheme}__{n}</c> and <c>{NAME}_{ENDPOINT}</c>.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithServiceDiscovery> source)
        where TDestination : IResourceWithEnvironment =>
        builder.WithVariables((variables, _) =>
        {
            var countByScheme = new Dictionary<string, int>();
            foreach (var annotation in source.Resource.Annotations.OfType<EndpointAnnotation>())
            {
                var endpoint = source.Resource.GetEndpoint(annotation.Name);
                var n = countByScheme.GetValueOrDefault(endpoint.Scheme);
                countByScheme[endpoint.Scheme] = n + 1;
                variables[$"services__{source.Resource.Name}__{endpoint.Scheme}__{n}"] = endpoint.Url;
                variables[$"{ResourceName.ToVariablePrefix(source.Resource.Name)}_{ResourceName.ToVariablePrefix(endpoint.EndpointName)}"] = endpoint.Url;
            }
            return ValueTask.CompletedTask;
        });

    /// <summary>Starts the resource only once <paramref name="dependency"/> runs and all its health checks are healthy.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport
    {
        if (ReferenceEquals(builder.Resource, dependency.Resource))
            throw new DistributedApplicationException($"Resource '{builder.Resource.Name}' cannot wait for itself.");
        return builder.WithAnnotation(new WaitAnnotation(dependency.Resource));
    }

    /// <summary>Declares an HTTP endpoint.</summary>
    /// <param name="builder">The resource that listens.</param>
    /// <param name="port">Port for clients; null: chosen at start.</param>
    /// <param name="targetPort">Port on which the process listens; null: <paramref name="port"/>, or one chosen at start where a proxy stands between.</param>
    /// <param name="name">Name; null: <c>http</c>.</param>
    /// <param name="env">Variable that tells the process its port.</param>
    /// <param name="isProxied">Whether a proxy may stand between the two ports.</param>
    public static IResourceBuilder<T> WithHttpEndpoint<T>(this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? name = null, string? env = null, bool isProxied = true)
        where T : IResourceWithEndpoints => builder.WithEndpoint(port, targetPort, "http", name, env, isProxied);

    /// <summary>Declares an endpoint; see <see cref="WithHttpEndpoint"/>.</summary>
    public static IResourceBuilder<T> WithEndpoint<T>(this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? scheme = null, string? name = null, string? env = null,
        bool isProxied = true, bool? isExternal = null, ProtocolType? protocol = null)
        where T : IResourceWithEndpoints
    {
        var endpoint = new EndpointAnnotation(protocol ?? ProtocolType.Tcp, scheme, name: name, port: port, targetPort: targetPort, isExternal: isExternal, isProxied: isProxied)
        {
            TargetPortEnvironmentVariable = env,
        };
        return builder.WithNewEndpoint(endpoint);
    }

    /// <summary>The endpoint with that name.</summary>
    public static EndpointReference GetEndpoint<T>(this IResourceBuilder<T> builder, string name)
        where T : IResourceWithEndpoints => builder.Resource.GetEndpoint(name);

    /// <summary>Says that a deployment offers the HTTP endpoints to the outside.</summary>
    public static IResourceBuilder<T> WithExternalHttpEndpoints<T>(this IResourceBuilder<T> builder)
        where T : IResourceWithEndpoints
    {
        foreach (var endpoint in builder.Resource.Annotations.OfType<EndpointAnnotation>().Where(e => e.UriScheme is "http" or "https"))
            endpoint.IsExternal = true;
        return builder;
    }

    /// <summary>Healthy only while a GET of <paramref name="path"/> answers with <paramref name="statusCode"/>.</summary>
    /// <param name="builder">The resource that listens.</param>
    /// <param name="path">Path; null: <c>/</c>.</param>
    /// <param name="statusCode">Expected status; null: 200.</param>
    /// <param name="endpointName">Endpoint; null: <c>http</c>.</param>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(this IResourceBuilder<T> builder, string? path = null, int? statusCode = null, string? endpointName = null)
        where T : IResourceWithEndpoints
    {
        var (endpoint, route, status) = (endpointName ?? "http", path ?? "/", statusCode ?? 200);
        var key = $"{builder.Resource.Name}_{endpoint}_{route}_{status}_check";
        if (builder.Resource.Annotations.OfType<HealthCheckAnnotation>().Any(c => c.Key == key))
            throw new DistributedApplicationException($"Resource '{builder.Resource.Name}' already has a health check with key '{key}'.");
        return builder.WithAnnotation(new HealthCheckAnnotation(key, endpoint, (port, cancellationToken) => HttpCheck.RunAsync(port, route, status, cancellationToken)));
    }

    internal static IResourceBuilder<T> WithNewEndpoint<T>(this IResourceBuilder<T> builder, EndpointAnnotation endpoint)
        where T : IResourceWithEndpoints
    {
        if (builder.Resource.Annotations.OfType<EndpointAnnotation>().Any(e => string.Equals(e.Name, endpoint.Name, StringComparison.OrdinalIgnoreCase)))
            throw new DistributedApplicationException($"Endpoint '{endpoint.Name}' of resource '{builder.Resource.Name}' exists already; give the second one another name.");
        return builder.WithAnnotation(endpoint);
    }

    private static IResourceBuilder<T> WithVariables<T>(this IResourceBuilder<T> builder, Func<IDictionary<string, string>, CancellationToken, ValueTask> callback)
        where T : IResource => builder.WithAnnotation(new EnvironmentCallbackAnnotation(callback));
}
