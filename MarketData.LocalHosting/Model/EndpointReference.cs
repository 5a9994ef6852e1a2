namespace Aspire.Hosting.ApplicationModel;

/// <summary>An endpoint by name. Its port can be read once the application has started.</summary>
public sealed class EndpointReference(IResourceWithEndpoints owner, string endpointName)
{
    /// <summary>The resource that listens.</summary>
    public IResourceWithEndpoints Resource { get; } = owner;

    /// <summary>The endpoint's name.</summary>
    public string EndpointName { get; } = endpointName;

    /// <summary>Whether the port is known.</summary>
    public bool IsAllocated => Annotation.AllocatedPort is not null;

    /// <summary>Scheme of the URL.</summary>
    public string Scheme => Annotation.UriScheme;

    /// <summary>The host for clients: <c>localhost</c>.</summary>
    public string Host => Annotation.TargetHost;

    /// <summary>The port for clients.</summary>
    /// <exception cref="InvalidOperationException">The application has not started.</exception>
    public int Port => Annotation.AllocatedPort
        ?? throw new InvalidOperationException($"The port of endpoint '{EndpointName}' of resource '{Resource.Name}' is known only once the application has started.");

    /// <summary>Scheme, host and port.</summary>
    public string Url => $"{Scheme}://{Host}:{Port}";

    private EndpointAnnotation Annotation =>
        Resource.Annotations.OfType<EndpointAnnotation>().FirstOrDefault(e => string.Equals(e.Name, EndpointName, StringComparison.OrdinalIgnoreCase))
        ?? throw new InvalidOperationException($"Resource '{Resource.Name}' has no endpoint '{EndpointName}'; it has: {string.Join(", ", Resource.Annotations.OfType<EndpointAnnotation>().Select(e => e.Name))}.");
}

/// <summary>Endpoints of a resource.</summary>
public static class ResourceExtensions
{
    /// <summary>The endpoint with that name; it need not be declared yet.</summary>
    public static EndpointReference GetEndpoint(this IResourceWithEndpoints resource, string endpointName) => new(resource, endpointName);

    internal static int GetReplicaCount(this IResource resource) => resource.Annotations.OfType<ReplicaAnnotation>().LastOrDefault()?.Replicas ?? 1;
}
