using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting;

/// <summary>The running topology: starts resources as their dependencies become healthy, stops them in reverse.</summary>
internal sealed class Topology : IAsyncDisposable
{
    /// <summary>For all processes together to end by themselves; the rest are killed.</summary>
    private static readonly TimeSpan StopBudget = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan CommandGrace = TimeSpan.FromSeconds(8);
    private readonly IReadOnlyList<IResource> _resources;
    private readonly ResourceNotificationService _notifications;
    private readonly StateDirectory _state;
    private readonly Dictionary<string, Replica[]> _replicas;
    private readonly List<RoundRobinProxy> _proxies = [];
    private readonly TaskCompletionSource<string> _failure = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private Task _starting = Task.CompletedTask;

    private Topology(IReadOnlyList<IResource> resources, ResourceLoggerService logs, ResourceNotificationService notifications, StateDirectory state, PortPlan ports, ProcessSpecFactory specs)
    {
        (_resources, Logs, _notifications, _state, Ports, Specs) = (resources, logs, notifications, state, ports, specs);
        Watchdog = new(state);
        _replicas = resources.ToDictionary(r => r.Name, CreateReplicas, StringComparer.OrdinalIgnoreCase);
        foreach (var resource in resources)
        {
            foreach (var replica in _replicas[resource.Name])
                PublishReplica(resource, replica);
        }
    }

    public ResourceLoggerService Logs { get; }

    public PortPlan Ports { get; }

    public ProcessSpecFactory Specs { get; }

    public Watchdog Watchdog { get; }

    /// <summary>Completes with the first thing that went wrong: a resource that cannot start, or that ended by itself.</summary>
    public Task<string> Failure => _failure.Task;

    /// <summary>Checks everything that can be checked before the first process starts, then begins to start them.</summary>
    /// <exception cref="DistributedApplicationException">A port is taken, a program is missing, a project is not built, or resources wait for each other.</exception>
    public static async Task<Topology> StartAsync(DistributedApplicationBuilder builder, ResourceLoggerService logs, ResourceNotificationService notifications, bool isTesting, CancellationToken cancellationToken)
    {
        IResource[] resources = [.. builder.Resources];
        var randomizePorts = builder.Configuration["DcpPublisher:RandomizePorts"] is { } setting ? bool.Parse(setting) : isTesting;
        StopOrder.Of(resources); // throws when resources wait for each other
        var state = isTesting ? StateDirectory.CreateTemporary() : await StateDirectory.OpenForUserAsync(cancellationToken);
        PortPlan? ports = null;
        try
        {
            ports = PortPlan.Create(resources, randomizePorts);
            var specs = new ProcessSpecFactory(builder.Configuration, builder.AppHostDirectory, state, ports);
            foreach (var resource in resources)
                specs.Prepare(resource);
            var topology = new Topology(resources, logs, notifications, state, ports, specs);
            topology.Begin();
            return topology;
        }
        catch (DistributedApplicationException)
        {
            ports?.Dispose();
            state.Dispose();
            throw;
        }
    }

    public void ReportFailure(string message) => _failure.TrySetResult(message);

    /// <summary>Publishes a replica's state, and the resource's: that of the replica furthest from healthy.</summary>
    public void PublishReplica(IResource resource, Replica replica)
    {
        if (!_replicas.TryGetValue(resource.Name, out var replicas) || replicas.Length == 1)
        {
            _notifications.Publish(new(resource, resource.Name, replica.Snapshot));
            return;
        }
        lock (replicas) // so that the last word about the resource is about its last change
        {
            _notifications.Publish(new(resource, replica.Id, replica.Snapshot));
            var worst = replicas.OrderBy(r => r.Snapshot.HealthStatus == HealthStatus.Healthy).ThenBy(r => r.Snapshot.StateText == KnownResourceStates.Running).First();
            _notifications.Publish(new(resource, worst.Id, worst.Snapshot), resource.Name);
        }
    }

    /// <summary>Starts, stops or restarts a resource by name, or one of several replicas by its own name.</summary>
    public async Task<ExecuteCommandResult> ExecuteCommandAsync(string resourceId, string commandName, CancellationToken cancellationToken)
    {
        var replicas = _replicas.TryGetValue(resourceId, out var all) ? all
            : _replicas.Values.SelectMany(r => r).Where(r => string.Equals(r.Id, resourceId, StringComparison.OrdinalIgnoreCase)).ToArray();
        if (replicas.Length == 0)
            return Failed($"Resource '{resourceId}' not found; there are: {string.Join(", ", _replicas.Keys)}.");
        try
        {
            if (commandName == KnownResourceCommands.StopCommand || commandName == KnownResourceCommands.RestartCommand)
                await Task.WhenAll(replicas.Select(r => r.StopAsync(CommandGrace))).WaitAsync(cancellationToken);
            else if (commandName != KnownResourceCommands.StartCommand)
                return Failed($"Command '{commandName}' not available for resource '{resourceId}'.");
            if (commandName != KnownResourceCommands.StopCommand)
                await Task.WhenAll(replicas.Select(r => r.StartAsync(cancellationToken)));
            return new() { Success = true };
        }
        catch (DistributedApplicationException e)
        {
            return Failed(e.Message);
        }

        static ExecuteCommandResult Failed(string message) => new() { Success = false, ErrorMessage = message };
    }

    /// <summary>Stops everything, dependents before what they depend on, within <see cref="StopBudget"/> and a moment for the killing.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _starting;
        var stages = StopOrder.Of(_resources);
        foreach (var stage in stages)
            await Task.WhenAll(stage.SelectMany(r => _replicas[r.Name]).Select(r => r.StopAsync(StopBudget / stages.Count)));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var replica in _replicas.Values.SelectMany(r => r))
            replica.Dispose();
        foreach (var proxy in _proxies)
            await proxy.DisposeAsync();
        Ports.Dispose();
        Watchdog.Dispose();
        _state.Dispose();
        _stopping.Dispose();
    }

    private Replica[] CreateReplicas(IResource resource)
    {
        var count = resource.GetReplicaCount();
        return [.. Enumerable.Range(0, count).Select(i => new Replica(resource, count == 1 ? resource.Name : string.Create(CultureInfo.InvariantCulture, $"{resource.Name}-{i + 1}"), i, this))];
    }

    private void Begin()
    {
        foreach (var (_, port, targetPorts) in Ports.Proxies)
        {
            Ports.ReleasePort(port);
            _proxies.Add(new RoundRobinProxy(port, targetPorts));
        }
        _starting = Task.WhenAll(_resources.Select(r => StartWhenReadyAsync(r, _stopping.Token)));
    }

    private async Task StartWhenReadyAsync(IResource resource, CancellationToken cancellationToken)
    {
        try
        {
            var dependencies = resource.Annotations.OfType<WaitAnnotation>().Select(w => w.Resource).ToArray();
            if (dependencies.Length > 0)
                _notifications.Publish(new(resource, resource.Name, new() { State = KnownResourceStates.Waiting }));
            foreach (var dependency in dependencies)
                await _notifications.WaitForResourceHealthyAsync(dependency.Name, cancellationToken);
            await Task.WhenAll(_replicas[resource.Name].Select(r => r.StartAsync(cancellationToken)));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _notifications.Publish(new(resource, resource.Name, new() { State = KnownResourceStates.NotStarted }));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _notifications.Publish(new(resource, resource.Name, new() { State = KnownResourceStates.FailedToStart }));
            Logs.Write(resource.Name, e.Message, isError: true);
            ReportFailure($"resource '{resource.Name}' could not be started: {e.Message}");
        }
    }
}
