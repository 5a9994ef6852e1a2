using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Hosting.Testing;

/// <summary>Declares a topology for a test: free ports, data in a temporary directory, nothing on the console.</summary>
public interface IDistributedApplicationTestingBuilder : IDistributedApplicationBuilder, IAsyncDisposable, IDisposable
{
    /// <summary>The application, ready to start.</summary>
    Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default);
}

/// <summary>Makes testing builders.</summary>
public static class DistributedApplicationTestingBuilder
{
    /// <summary>The topology of the AppHost in whose assembly <typeparamref name="TEntryPoint"/> lies, normally <c>Projects.{Name}_AppHost</c>.</summary>
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(CancellationToken cancellationToken = default)
        where TEntryPoint : class => CreateAsync<TEntryPoint>([], cancellationToken);

    /// <summary>As the other overload, with arguments for the AppHost, such as <c>--MockKalshi:Replay=FILE</c>.</summary>
    public static async Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(string[] args, CancellationToken cancellationToken = default)
        where TEntryPoint : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        var assembly = typeof(TEntryPoint).Assembly;
        var entryPoint = assembly.EntryPoint ?? throw new InvalidOperationException($"Assembly {assembly.GetName().Name} of {typeof(TEntryPoint)} has no entry point.");
        var capture = new EntryPointCapture(assembly);
        // In a flow of its own, so that the capture is seen by this entry point and by nothing that the test does later.
        await Task.Run(() => RunEntryPoint(entryPoint, args, capture), cancellationToken);
        return new TestingBuilder(capture.Builder ?? throw new InvalidOperationException($"The entry point of {assembly.GetName().Name} ended without DistributedApplication.CreateBuilder(…).Build()."));
    }

    /// <summary>An empty topology.</summary>
    public static IDistributedApplicationTestingBuilder Create(params string[] args) =>
        new TestingBuilder(new DistributedApplicationBuilder(args, appHostAssembly: null, isTesting: true));

    private static void RunEntryPoint(MethodInfo entryPoint, string[] args, EntryPointCapture capture)
    {
        DistributedApplicationBuilder.Capture.Value = capture;
        try
        {
            entryPoint.Invoke(null, BindingFlags.DoNotWrapExceptions, null, entryPoint.GetParameters().Length == 0 ? [] : [args], null);
        }
        catch (EntryPointCapturedException)
        {
            return; // it came as far as Build()
        }
    }

    private sealed class TestingBuilder(DistributedApplicationBuilder inner) : IDistributedApplicationTestingBuilder
    {
        private DistributedApplication? _application;

        public ConfigurationManager Configuration => inner.Configuration;

        public string AppHostDirectory => inner.AppHostDirectory;

        public Assembly? AppHostAssembly => inner.AppHostAssembly;

        public IServiceCollection Services => inner.Services;

        public DistributedApplicationExecutionContext ExecutionContext => inner.ExecutionContext;

        public IResourceCollection Resources => inner.Resources;

        public IResourceBuilder<T> AddResource<T>(T resource)
            where T : IResource => inner.AddResource(resource);

        public IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
            where T : IResource => inner.CreateResourceBuilder(resource);

        public DistributedApplication Build()
        {
            Services.AddHttpClient();
            return _application = inner.Build();
        }

        public Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default) => Task.FromResult(Build());

        public ValueTask DisposeAsync() => _application?.DisposeAsync() ?? ValueTask.CompletedTask;

        public void Dispose() => _application?.Dispose();
    }
}
