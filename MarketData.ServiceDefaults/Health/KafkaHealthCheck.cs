using Confluent.Kafka;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.ServiceDefaults.Health;

/// <summary>
/// Asks the cluster for its metadata through one admin client that lives as long as the check, so that a probe costs one request and not a
/// connection. Thread-safe.
/// </summary>
internal sealed class KafkaHealthCheck(ClientConfig config) : IHealthCheck, IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2.5);

    private readonly Lock _gate = new();
    private IAdminClient? _admin;                       // used by the probe alone
    private volatile string? _lastError;                // written by librdkafka's thread
    private Task<(bool Healthy, string Reason)>? _probe; // guarded by _gate
    private bool _disposed;                             // guarded by _gate

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        Task<(bool Healthy, string Reason)> probe;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            // The metadata call blocks its thread. However many ask at once, one thread is blocked.
            if (_probe is null or { IsCompleted: true }) _probe = Task.Run(Probe, CancellationToken.None);
            probe = _probe;
        }

        var (healthy, reason) = await probe.WaitAsync(cancellationToken);
        return new HealthCheckResult(healthy ? HealthStatus.Healthy : context.Registration.FailureStatus, reason);
    }

    /// <summary>Ends the admin client, after the probe that may be using it.</summary>
    public void Dispose()
    {
        Task? probe;
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            probe = _probe;
        }

        // Bounded by the metadata call's own timeout; a probe that failed has nobody left to tell.
        probe?.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Wait();
        _admin?.Dispose();
    }

    private (bool Healthy, string Reason) Probe()
    {
        try
        {
            _admin ??= new AdminClientBuilder(config)
                .SetErrorHandler((_, error) => _lastError = error.Reason)
                // The check's reason says it; librdkafka's own lines would repeat it on the console every second.
                .SetLogHandler(static (_, _) => { })
                .Build();
            var metadata = _admin.GetMetadata(Timeout);
            _lastError = null;
            return metadata.Brokers.Count > 0
                ? (true, $"{metadata.Brokers.Count} broker(s) behind {config.BootstrapServers}")
                : (false, $"{config.BootstrapServers} answered, but knows no broker");
        }
        catch (KafkaException e)
        {
            var detail = _lastError is { } lastError ? $" ({lastError})" : "";
            return (false, $"no metadata from {config.BootstrapServers} within {Timeout.TotalSeconds} s: {e.Error.Reason}{detail}");
        }
    }
}
