using System.Collections.Immutable;
using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting;

/// <summary>One process of a resource: starts it, watches its health, notices its end, stops it, and may start it again.</summary>
internal sealed class Replica(IResource resource, string id, int index, Topology topology) : IDisposable
{
    private static readonly TimeSpan FirstInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestIntervalUntilHealthy = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IntervalWhenHealthy = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(3);
    private readonly HealthCheckAnnotation[] _checks = [.. resource.Annotations.OfType<HealthCheckAnnotation>()];
    private readonly SemaphoreSlim _gate = new(1, 1); // start and stop, one at a time
    private ChildProcess? _process;
    private Task _watch = Task.CompletedTask;
    private volatile bool _isStopping;

    public string Id => id;

    public CustomResourceSnapshot Snapshot { get; private set; } = new() { State = KnownResourceStates.NotStarted };

    /// <exception cref="DistributedApplicationException">It cannot be started.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_process is { Exited.IsCompleted: false })
                return;
            await _watch;
            Publish(new() { State = KnownResourceStates.Starting });
            var spec = await topology.Specs.CreateAsync(resource, index, id, cancellationToken);
            topology.Ports.Release(resource, index);
            _isStopping = false;
            _process = ChildProcess.Start(spec, topology.Watchdog, (line, isError) => topology.Logs.Write(id, line, isError));
            Publish(Running([.. _checks.Select(c => new HealthReportSnapshot(c.Key, null, null, null))]));
            _watch = WatchAsync(_process);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Publish(new() { State = KnownResourceStates.FailedToStart });
            throw new DistributedApplicationException($"Resource '{id}' could not be started: {e.Message}", e);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Stops the process, if one runs, and waits for its end.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        await _gate.WaitAsync();
        try
        {
            if (_process is { Exited.IsCompleted: false } process)
            {
                _isStopping = true;
                Publish(Snapshot with { State = KnownResourceStates.Stopping, HealthStatus = null });
                await process.StopAsync(grace);
            }
            await _watch;
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private async Task WatchAsync(ChildProcess process)
    {
        using var ended = new CancellationTokenSource();
        var health = CheckHealthAsync(process, ended.Token);
        var exitCode = await process.Exited;
        await ended.CancelAsync();
        await health;
        Publish(new()
        {
            State = _isStopping ? KnownResourceStates.Exited : KnownResourceStates.Finished,
            ExitCode = exitCode,
        });
        if (!_isStopping)
            topology.ReportFailure($"resource '{id}' ended with exit code {exitCode.ToString(CultureInfo.InvariantCulture)}{topology.Logs.Tail(id)}");
    }

    private async Task CheckHealthAsync(ChildProcess process, CancellationToken ended)
    {
        var interval = FirstInterval;
        try
        {
            while (_checks.Length > 0 && !ended.IsCancellationRequested)
            {
                var reports = await Task.WhenAll(_checks.Select(c => CheckAsync(c, ended)));
                if (_isStopping || process.Exited.IsCompleted)
                    return;
                var snapshot = Running([.. reports]);
                if (snapshot.HealthStatus != Snapshot.HealthStatus || !snapshot.HealthReports.SequenceEqual(Snapshot.HealthReports))
                    Publish(snapshot);
                if (snapshot.HealthStatus == HealthStatus.Healthy)
                    interval = IntervalWhenHealthy;
                else
                    interval = interval >= LongestIntervalUntilHealthy ? LongestIntervalUntilHealthy : interval * 1.5;
                await Task.Delay(interval, ended);
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return; // the process has ended, which its watcher reports
        }
    }

    private async Task<HealthReportSnapshot> CheckAsync(HealthCheckAnnotation check, CancellationToken ended)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ended);
        limit.CancelAfter(CheckTimeout);
        string? reason;
        try
        {
            reason = await check.CheckAsync(topology.Ports.TargetPort(resource, index, check.EndpointName), limit.Token);
        }
        catch (OperationCanceledException) when (!ended.IsCancellationRequested)
        {
            reason = $"no answer within {CheckTimeout.TotalSeconds} s";
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            reason = e.Message; // refused, reset, or not the protocol: whatever it is, not healthy
        }
        return new(check.Key, reason is null ? HealthStatus.Healthy : HealthStatus.Unhealthy, reason, null);
    }

    private CustomResourceSnapshot Running(ImmutableArray<HealthReportSnapshot> reports) => new()
    {
        State = KnownResourceStates.Running,
        HealthStatus = reports.All(r => r.Status == HealthStatus.Healthy) ? HealthStatus.Healthy : HealthStatus.Unhealthy,
        HealthReports = reports,
        Properties = [new("executable.pid", _process!.Id)],
    };

    private void Publish(CustomResourceSnapshot snapshot)
    {
        Snapshot = snapshot;
        topology.PublishReplica(resource, this);
    }
}
