using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.Ingest.Upstream;

/// <summary>What the upstream connection is doing, and its health check <c>exchange</c>. Written by the upstream service only.</summary>
public sealed class UpstreamStatus : IHealthCheck
{
    private volatile State _state = new("not connected yet", null, 0);

    /// <summary>Connected and subscribed.</summary>
    /// <param name="books">Markets whose order book is subscribed.</param>
    /// <param name="refusal">What the exchange refused; null when nothing.</param>
    public void Subscribed(int books, string? refusal) => _state = new State(null, refusal, books);

    public void Down(string problem) => _state = new State(problem, null, 0);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var state = _state;
        return Task.FromResult(
            state.Problem != null ? new HealthCheckResult(context.Registration.FailureStatus, $"The exchange's feed is down: {state.Problem}")
            : state.Refusal != null ? HealthCheckResult.Degraded($"{state.Books} order books subscribed; the exchange refused {state.Refusal}")
            : HealthCheckResult.Healthy($"{state.Books} order books subscribed."));
    }

    private sealed record State(string? Problem, string? Refusal, int Books);
}
