using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Knows the state of every resource, and waits for states.</summary>
public sealed class ResourceNotificationService
{
    private readonly ConcurrentDictionary<string, ResourceEvent> _events = new(StringComparer.OrdinalIgnoreCase);
    private readonly ResourceLoggerService _logs;
    private readonly WaitBehavior _defaultWaitBehavior;
    private volatile TaskCompletionSource _changed = NewSignal();

    internal ResourceNotificationService(ResourceLoggerService logs, WaitBehavior defaultWaitBehavior) => (_logs, _defaultWaitBehavior) = (logs, defaultWaitBehavior);

    /// <summary>The state of a resource now; of one replica among several under <c>{name}-{1…n}</c>.</summary>
    public bool TryGetCurrentState(string resourceId, [NotNullWhen(true)] out ResourceEvent? resourceEvent) => _events.TryGetValue(resourceId, out resourceEvent);

    /// <summary>Waits until the resource is in the state (default: Running).</summary>
    /// <exception cref="OperationCanceledException">The token came first; the message carries the state and the last lines of the resource.</exception>
    public async Task WaitForResourceAsync(string resourceName, string? targetState = null, CancellationToken cancellationToken = default)
    {
        targetState ??= KnownResourceStates.Running;
        await WaitAsync(resourceName, targetState, snapshot => snapshot.StateText == targetState, cancellationToken);
    }

    /// <summary>Waits until the resource runs and all its health checks are healthy. When it cannot start or ends: goes on in an AppHost, fails in tests.</summary>
    /// <exception cref="DistributedApplicationException">It cannot start or has ended; the message carries its last lines.</exception>
    /// <exception cref="OperationCanceledException">The token came first; the message carries the state, the checks and the last lines of the resource.</exception>
    public Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default) =>
        WaitForResourceHealthyAsync(resourceName, _defaultWaitBehavior, cancellationToken);

    /// <summary>As the other overload, with the behaviour when the resource cannot start or ends.</summary>
    public async Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, WaitBehavior waitBehavior, CancellationToken cancellationToken = default)
    {
        var stopsEarly = waitBehavior == WaitBehavior.StopOnResourceUnavailable;
        var reached = await WaitAsync(resourceName, "healthy", s => s.HealthStatus == HealthStatus.Healthy || (stopsEarly && s.IsTerminal), cancellationToken);
        return reached.Snapshot.HealthStatus == HealthStatus.Healthy
            ? reached
            : throw new DistributedApplicationException($"Stopped waiting for resource '{resourceName}' to become healthy: {Describe(reached)}");
    }

    internal void Publish(ResourceEvent resourceEvent, string? name = null)
    {
        _events[name ?? resourceEvent.ResourceId] = resourceEvent;
        Interlocked.Exchange(ref _changed, NewSignal()).SetResult();
    }

    /// <summary>Completes with the next change of anything. Take it before looking at the states, so that none is missed.</summary>
    internal Task NextChange => _changed.Task;

    internal string Describe(ResourceEvent resourceEvent)
    {
        var snapshot = resourceEvent.Snapshot;
        var exitCode = snapshot is { IsTerminal: true, ExitCode: { } code } ? $" with exit code {code}" : "";
        var reasons = string.Concat(snapshot.HealthReports.Where(r => r.Status != HealthStatus.Healthy).Select(r => $", {r.Name}: {r.Description ?? "not checked yet"}"));
        return $"it is {snapshot.StateText}{exitCode}{reasons}{_logs.Tail(resourceEvent.ResourceId)}";
    }

    private async Task<ResourceEvent> WaitAsync(string resourceName, string goal, Func<CustomResourceSnapshot, bool> isReached, CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = NextChange;
            if (!_events.TryGetValue(resourceName, out var current))
                throw new InvalidOperationException($"There is no resource '{resourceName}' in the application, or it has not started; there are: {string.Join(", ", _events.Keys.Order())}.");
            if (isReached(current.Snapshot))
                return current;
            try
            {
                await changed.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException e)
            {
                throw new OperationCanceledException($"Gave up waiting for resource '{resourceName}' to become {goal}: {Describe(_events[resourceName])}", e, cancellationToken);
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
