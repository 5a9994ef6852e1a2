using System.Globalization;
using System.Security.Cryptography;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

/// <summary>Turns resources into processes: which program, with which arguments and environment.</summary>
internal sealed class ProcessSpecFactory(IConfiguration configuration, string appHostDirectory, StateDirectory state, PortPlan ports)
{
    private const string PasswordAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const int PasswordLength = 24;

    /// <summary>Finds the resource's program, so that a missing one is said before anything starts.</summary>
    /// <exception cref="DistributedApplicationException">It is missing.</exception>
    public void Prepare(IResource resource)
    {
        FindProgram(resource);
        if (resource is RedisResource redis)
        {
            var name = $"{redis.Name}-password";
            // Letters and digits only: a comma would break the connection string.
            redis.Password = configuration[$"Parameters:{name}"] ?? state.Secret(name, () => RandomNumberGenerator.GetString(PasswordAlphabet, PasswordLength));
        }
    }

    public async Task<ProcessSpec> CreateAsync(IResource resource, int replica, string instanceId, CancellationToken cancellationToken)
    {
        var variables = new Dictionary<string, string>();
        if (resource is ProjectResource or KafkaServerResource)
            AddDotnetVariables(variables, resource, instanceId);
        if (resource is ProjectResource)
            AddUrls(variables, resource, replica);
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
        {
            if (endpoint.TargetPortEnvironmentVariable is { } variable)
                variables[variable] = TargetPort(resource, replica, endpoint.Name);
        }
        foreach (var callback in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
            await callback.Callback(variables, cancellationToken);

        var (program, arguments, workingDirectory) = FindProgram(resource);
        if (resource is KafkaServerResource)
            arguments = [.. arguments, "--port", TargetPort(resource, replica, "tcp"), "--data", DataDirectory(resource), "--host", "127.0.0.1"];
        if (resource is RedisResource redis)
            arguments = [.. arguments, WriteRedisConfiguration(redis, replica)];
        arguments = [.. arguments, .. resource.Annotations.OfType<CommandLineArgsAnnotation>().SelectMany(a => a.Args)];
        return new(program, arguments, workingDirectory, variables);
    }

    private (string Program, string[] Arguments, string WorkingDirectory) FindProgram(IResource resource)
    {
        switch (resource)
        {
            case ProjectResource project:
                var annotation = project.Annotations.OfType<ProjectAnnotation>().Last();
                return (Programs.Dotnet, [BuildOutput(project, annotation.TargetPath, annotation.ProjectPath)], Path.GetDirectoryName(annotation.ProjectPath)!);
            case KafkaServerResource kafka:
                var broker = BuildOutput(kafka, TargetPaths.Find(typeof(ProcessSpecFactory).Assembly, "LocalKafka"), "MarketData.LocalKafka");
                return (Programs.Dotnet, [broker], Path.GetDirectoryName(broker)!);
            case RedisResource redis:
                var server = Programs.Find("redis-server") ?? Programs.Find("valkey-server")
                    ?? throw new DistributedApplicationException($"Resource '{redis.Name}' needs redis-server or valkey-server on PATH; install one, for example with: apt-get install redis-server");
                return (server, [], state.Session);
            case ExecutableResource executable:
                var directory = Path.GetFullPath(executable.WorkingDirectory, appHostDirectory);
                if (!Directory.Exists(directory))
                    throw new DistributedApplicationException($"Working directory {directory} of resource '{executable.Name}' does not exist.");
                var program = Programs.Find(executable.Command, directory)
                    ?? throw new DistributedApplicationException($"Executable '{executable.Command}' of resource '{executable.Name}' does not exist on PATH or in {directory}.");
                return (program, [], directory);
            default:
                throw new DistributedApplicationException($"Resource '{resource.Name}' is a {resource.GetType().Name}, which local hosting cannot run; build with UseAspire=true.");
        }
    }

    private static string BuildOutput(IResource resource, string? targetPath, string project)
    {
        if (targetPath is null)
            throw new DistributedApplicationException($"Where the output of project {project} of resource '{resource.Name}' lies is not known: the AppHost must reference it and import MarketData.LocalHosting.targets.");
        if (!File.Exists(targetPath))
            throw new DistributedApplicationException($"Resource '{resource.Name}' is not built: {targetPath} does not exist. Run dotnet build.");
        return targetPath;
    }

    /// <summary>What Aspire gives every project, less what belongs to its dashboard. Other OTEL_ variables are inherited from the AppHost.</summary>
    private static void AddDotnetVariables(Dictionary<string, string> variables, IResource resource, string instanceId)
    {
        var attributes = Environment.GetEnvironmentVariable("OTEL_RESOURCE_ATTRIBUTES");
        variables["OTEL_SERVICE_NAME"] = resource.Name;
        variables["OTEL_RESOURCE_ATTRIBUTES"] = string.IsNullOrWhiteSpace(attributes) ? $"service.instance.id={instanceId}" : $"{attributes},service.instance.id={instanceId}";
        variables["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory";
        variables["LOGGING__CONSOLE__FORMATTERNAME"] = "simple";
    }

    private void AddUrls(Dictionary<string, string> variables, IResource resource, int replica)
    {
        string[] urls = [.. resource.Annotations.OfType<EndpointAnnotation>().Where(e => e.UriScheme is "http" or "https")
            .Select(e => $"{e.UriScheme}://localhost:{TargetPort(resource, replica, e.Name)}")];
        if (urls.Length > 0)
            variables["ASPNETCORE_URLS"] = string.Join(';', urls);
    }

    private string TargetPort(IResource resource, int replica, string endpointName) => ports.TargetPort(resource, replica, endpointName).ToString(CultureInfo.InvariantCulture);

    private string DataDirectory(IResource resource) =>
        resource.Annotations.OfType<DataVolumeAnnotation>().LastOrDefault() is { } volume ? state.Volume(volume.Name) : state.Ephemeral($"{resource.Name}-data");

    /// <summary>In a private file, because a command line can be read by every user of the machine.</summary>
    private string WriteRedisConfiguration(RedisResource redis, int replica)
    {
        var persists = redis.Annotations.OfType<DataVolumeAnnotation>().Any();
        var path = Path.Combine(state.Session, $"{redis.Name}.conf");
        StateDirectory.WritePrivate(path, $"""
            bind 127.0.0.1 -::1
            port {TargetPort(redis, replica, "tcp")}
            requirepass {redis.Password}
            dir "{DataDirectory(redis)}"
            save {(persists ? "60 1" : "\"\"")}
            daemonize no

            """);
        return path;
    }
}
