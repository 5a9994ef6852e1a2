using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Hosting.Testing;

/// <summary>How a test reaches a running application.</summary>
public static class DistributedApplicationHostingTestingExtensions
{
    /// <summary>A client whose base address is the resource's endpoint (default: <c>https</c>, then <c>http</c>).</summary>
    public static HttpClient CreateHttpClient(this DistributedApplication app, string resourceName, string? endpointName = null)
    {
        var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        client.BaseAddress = app.GetEndpoint(resourceName, endpointName);
        return client;
    }

    /// <summary>The connection string of a resource; null if it is to be found in no other way.</summary>
    /// <exception cref="ArgumentException">There is no such resource, or it has no connection string.</exception>
    public static ValueTask<string?> GetConnectionStringAsync(this DistributedApplication app, string resourceName, CancellationToken cancellationToken = default) =>
        app.FindResource(resourceName) is IResourceWithConnectionString resource
            ? resource.GetConnectionStringAsync(cancellationToken)
            : throw new ArgumentException($"Resource '{resourceName}' does not expose a connection string.", nameof(resourceName));

    /// <summary>Address of a resource's endpoint (default: <c>https</c>, then <c>http</c>).</summary>
    /// <exception cref="ArgumentException">There is no such resource, or it has no endpoint.</exception>
    public static Uri GetEndpoint(this DistributedApplication app, string resourceName, string? endpointName = null)
    {
        if (app.FindResource(resourceName) is not IResourceWithEndpoints resource)
            throw new ArgumentException($"Resource '{resourceName}' has no endpoints.", nameof(resourceName));
        var names = resource.Annotations.OfType<EndpointAnnotation>().Select(e => e.Name).ToArray();
        var name = endpointName ?? names.FirstOrDefault(n => n is "https") ?? names.FirstOrDefault(n => n is "http")
            ?? throw new ArgumentException($"Resource '{resourceName}' has neither an https nor an http endpoint.", nameof(resourceName));
        return new(resource.GetEndpoint(name).Url);
    }

    private static IResource FindResource(this DistributedApplication app, string resourceName) =>
        app.Model.Resources.FirstOrDefault(r => string.Equals(r.Name, resourceName, StringComparison.OrdinalIgnoreCase))
        ?? throw new ArgumentException($"Resource '{resourceName}' not found.", nameof(resourceName));
}
