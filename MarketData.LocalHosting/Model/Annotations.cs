using System.Net.Sockets;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A place where a resource listens.</summary>
public sealed class EndpointAnnotation(ProtocolType protocol, string? uriScheme = null, string? transport = null, string? name = null, int? port = null,
    int? targetPort = null, bool? isExternal = null, bool isProxied = true) : IResourceAnnotation
{
    /// <summary>TCP, the only protocol here.</summary>
    public ProtocolType Protocol { get; } = protocol;

    /// <summary>Scheme of the endpoint's URL.</summary>
    public string UriScheme { get; } = uriScheme ?? "tcp";

    /// <summary>Transport of the endpoint: <c>http</c> or <c>tcp</c>.</summary>
    public string Transport { get; } = transport ?? (uriScheme is "http" or "https" ? "http" : "tcp");

    /// <summary>Name, unique in the resource.</summary>
    public string Name { get; } = name ?? uriScheme ?? "tcp";

    /// <summary>Port for clients; null: chosen at start.</summary>
    public int? Port { get; set; } = port;

    /// <summary>Port on which the process listens; null: chosen at start.</summary>
    public int? TargetPort { get; set; } = targetPort;

    /// <summary>Host of the endpoint's URL.</summary>
    public string TargetHost { get; set; } = "localhost";

    /// <summary>Whether a deployment offers the endpoint to the outside. Without effect here: everything listens on the loopback.</summary>
    public bool IsExternal { get; set; } = isExternal ?? false;

    /// <summary>Whether a proxy may stand between <see cref="Port"/> and <see cref="TargetPort"/>.</summary>
    public bool IsProxied { get; set; } = isProxied;

    /// <summary>The variable that tells the process its port.</summary>
    internal string? TargetPortEnvironmentVariable { get; init; }

    /// <summary>The port that this kind of server conventionally has: taken when it is free and no other was asked for.</summary>
    internal int? ConventionalPort { get; init; }

    /// <summary>The port for clients, once the application has started.</summary>
    internal int? AllocatedPort { get; set; }
}

/// <summary>The resource starts after another one is running and all its health checks are healthy.</summary>
public sealed class WaitAnnotation(IResource resource) : IResourceAnnotation
{
    /// <summary>The resource waited for.</summary>
    public IResource Resource { get; } = resource;
}

/// <summary>How many processes of a project run.</summary>
public sealed class ReplicaAnnotation(int replicas = 1) : IResourceAnnotation
{
    /// <summary>Number of processes.</summary>
    public int Replicas { get; } = replicas;
}

/// <summary>Where a project lies.</summary>
internal sealed record ProjectAnnotation(string ProjectPath, string? TargetPath) : IResourceAnnotation;

/// <summary>Computed when the process starts, since ports and passwords are known only then.</summary>
internal sealed record EnvironmentCallbackAnnotation(Func<IDictionary<string, string>, CancellationToken, ValueTask> Callback) : IResourceAnnotation;

internal sealed record CommandLineArgsAnnotation(IReadOnlyList<string> Args) : IResourceAnnotation;

internal sealed record DataVolumeAnnotation(string Name) : IResourceAnnotation;

/// <summary>A health check of the process that listens on the given port: null when healthy, else the reason.</summary>
internal sealed record HealthCheckAnnotation(string Key, string EndpointName, Func<int, CancellationToken, Task<string?>> CheckAsync) : IResourceAnnotation;
