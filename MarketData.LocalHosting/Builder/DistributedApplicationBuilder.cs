using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Hosting;

/// <summary>Declares a topology.</summary>
public interface IDistributedApplicationBuilder
{
    /// <summary>The AppHost's user secrets, its environment variables, then its arguments (<c>--Section:Key value</c>).</summary>
    ConfigurationManager Configuration { get; }

    /// <summary>The AppHost project's directory; relative paths of the topology start there.</summary>
    string AppHostDirectory { get; }

    /// <summary>The AppHost's assembly, if known.</summary>
    Assembly? AppHostAssembly { get; }

    /// <summary>Services of the AppHost itself, not of the resources.</summary>
    IServiceCollection Services { get; }

    /// <summary>Whether the topology is to be run or published.</summary>
    DistributedApplicationExecutionContext ExecutionContext { get; }

    /// <summary>What has been declared.</summary>
    IResourceCollection Resources { get; }

    /// <summary>Adds a resource.</summary>
    /// <exception cref="DistributedApplicationException">The name is taken.</exception>
    IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource;

    /// <summary>To say more about a resource.</summary>
    IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
        where T : IResource;

    /// <summary>The application, ready to start.</summary>
    DistributedApplication Build();
}

/// <summary>Further ways to reach a resource.</summary>
public static class DistributedApplicationBuilderExtensions
{
    /// <summary>To say more about the resource with that name.</summary>
    /// <exception cref="InvalidOperationException">There is none of that name and type.</exception>
    public static IResourceBuilder<T> CreateResourceBuilder<T>(this IDistributedApplicationBuilder builder, string name)
        where T : IResource =>
        builder.CreateResourceBuilder(builder.Resources.OfType<T>().FirstOrDefault(r => string.Equals(r.Name, name, StringComparison.OrdinalIgnoreCase))
            ?? throw new InvalidOperationException($"There is no {typeof(T).Name} named '{name}'; there are: {string.Join(", ", builder.Resources.Select(r => r.Name))}."));
}

/// <summary>Values from outside.</summary>
public static class ParameterResourceBuilderExtensions
{
    /// <summary>Declares a value that <c>Parameters:{name}</c> gives: by user secrets, environment or argument.</summary>
    /// <param name="builder">The topology.</param>
    /// <param name="name">Its name.</param>
    /// <param name="secret">Whether it is to be kept from sight.</param>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, bool secret = false) =>
        builder.CreateResourceBuilder(new ParameterResource(name, secret));
}

/// <summary>Run or publish.</summary>
public enum DistributedApplicationOperation
{
    /// <summary>Start the topology here.</summary>
    Run,

    /// <summary>Write deployment artifacts: only with Aspire itself.</summary>
    Publish,
}

/// <summary>What the AppHost was started for.</summary>
public sealed class DistributedApplicationExecutionContext(DistributedApplicationOperation operation)
{
    /// <summary>The operation.</summary>
    public DistributedApplicationOperation Operation { get; } = operation;

    /// <summary>Whether deployment artifacts are asked for.</summary>
    public bool IsPublishMode => Operation == DistributedApplicationOperation.Publish;

    /// <summary>Whether the topology is to be started here.</summary>
    public bool IsRunMode => Operation == DistributedApplicationOperation.Run;
}

internal sealed class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    /// <summary>Set while a testing builder runs an AppHost's entry point: takes the builder and ends the entry point at <see cref="Build"/>.</summary>
    public static readonly AsyncLocal<EntryPointCapture?> Capture = new();

    private readonly ResourceCollection _resources = [];
    private readonly EntryPointCapture? _capture;
    private readonly bool _isTesting;

    public DistributedApplicationBuilder(string[] args, Assembly? appHostAssembly, bool isTesting)
    {
        _capture = Capture.Value;
        _isTesting = isTesting || _capture is not null;
        AppHostAssembly = _capture?.Assembly ?? appHostAssembly;
        Configuration = new ConfigurationManager();
        // A test is the same on every machine.
        if (!_isTesting && AppHostAssembly is not null)
            Configuration.AddUserSecrets(AppHostAssembly, optional: true);
        Configuration.AddEnvironmentVariables();
        Configuration.AddCommandLine(args, new Dictionary<string, string>
        {
            ["--operation"] = "AppHost:Operation",
            ["--publisher"] = "Publishing:Publisher",
        });
        var publishes = Configuration["Publishing:Publisher"] is { Length: > 0 }
            || string.Equals(Configuration["AppHost:Operation"], "publish", StringComparison.OrdinalIgnoreCase);
        ExecutionContext = new(publishes ? DistributedApplicationOperation.Publish : DistributedApplicationOperation.Run);
        AppHostDirectory = ProjectDirectoryOf(AppHostAssembly) ?? Environment.CurrentDirectory;
        if (_capture is not null)
            _capture.Builder = this;
    }

    public ConfigurationManager Configuration { get; }

    public string AppHostDirectory { get; }

    public Assembly? AppHostAssembly { get; }

    public IServiceCollection Services { get; } = new ServiceCollection();

    public DistributedApplicationExecutionContext ExecutionContext { get; }

    public IResourceCollection Resources => _resources;

    public IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource
    {
        if (_resources.FirstOrDefault(r => string.Equals(r.Name, resource.Name, StringComparison.OrdinalIgnoreCase)) is { } other)
            throw new DistributedApplicationException($"Resource name '{resource.Name}' is taken by a {other.GetType().Name}; names must be unique regardless of case.");
        _resources.Add(resource);
        return CreateResourceBuilder(resource);
    }

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
        where T : IResource => new ResourceBuilder<T>(this, resource);

    public DistributedApplication Build()
    {
        if (_capture is not null && Capture.Value is not null)
            throw new EntryPointCapturedException();
        return new(this, _isTesting);
    }

    private static string? ProjectDirectoryOf(Assembly? appHost) =>
        appHost?.GetType($"Projects.{appHost.GetName().Name?.Replace('.', '_')}")?.GetProperty("ProjectPath", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) as string;
}

/// <summary>Hands the builder of an AppHost's entry point to the test that runs it.</summary>
internal sealed record EntryPointCapture(Assembly Assembly)
{
    public DistributedApplicationBuilder? Builder { get; set; }
}

/// <summary>Ends an AppHost's entry point at <c>Build()</c>, when a test has what it wants of it.</summary>
internal sealed class EntryPointCapturedException() : Exception("The entry point of the AppHost ends here: a testing builder goes on with its topology.");
