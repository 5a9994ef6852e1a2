using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.ServiceDefaults.Health;

/// <summary>Healthy whenever the process can answer at all.</summary>
internal sealed class SelfHealthCheck : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(HealthCheckResult.Healthy());
}
