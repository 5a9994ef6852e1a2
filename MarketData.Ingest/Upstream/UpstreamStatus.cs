using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.Ingest.Upstream;

/// <summary>What the upstream connection is doing, for health. Written by the upstream service only.</summary>
public sealed class UpstreamStatus
{
    /// <summary>Null while connected and subscribed, else what is wrong or under way.</summary>
    public string? Problem { get; private set; } = "not connected yet";

    /// <summary>Markets whose order book is subscribed.</summary>
    public int Books { get; private set; }

    public void Subscribed(int books) => (Problem, Books) = (null, books);

    public void Down(string problem) => Problem = problem;
}

/// <summary>Health check <c>exchange</c>.</summary>
public sealed class UpstreamHealth(UpstreamStatus status) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(status.Problem is { } problem
            ? new HealthCheckResult(context.Registration.FailureStatus, $"The exchange's feed is down: {problem}")
            : HealthCheckResult.Healthy($"{status.Books} order books subscribed."));
}
