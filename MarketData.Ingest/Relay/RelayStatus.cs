using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.Ingest.Relay;

/// <summary>What the relay is doing, and its health check <c>relay</c>. Written by the relay's loop only.</summary>
public sealed class RelayStatus : IHealthCheck
{
    private volatile string? _problem = "not connected to Redis yet";

    /// <summary>Why nothing is published; null while it is.</summary>
    public string? Problem => _problem;

    public void Running() => _problem = null;

    public void Down(string problem) => _problem = problem;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_problem is { } problem
            ? new HealthCheckResult(context.Registration.FailureStatus, $"The relay publishes nothing: {problem}")
            : HealthCheckResult.Healthy());
}
