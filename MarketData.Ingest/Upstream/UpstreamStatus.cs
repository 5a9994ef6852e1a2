using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.Ingest.Upstream;

/// <summary>What the upstream connection is doing, and its health check <c>exchange</c>. Written by the upstream service only.</summary>
public sealed class UpstreamStatus : IHealthCheck
{
    private volatile State _state = new("not connected yet", null, 0);

    /// <summary>Why the feed is down, or what is not as it should be; null when all is.</summary>
    public string? Problem
    {
        get
        {
            var state = _state;
            return state.Problem ?? state.Shortcoming;
        }
    }

    /// <summary>Markets whose order book is subscribed.</summary>
    public int Books => _state.Books;

    /// <summary>Connected and subscribed.</summary>
    /// <param name="books">Markets whose order book is subscribed.</param>
    /// <param name="shortcoming">What is not as it should be; null when all is.</param>
    public void Subscribed(int books, string? shortcoming) => _state = new State(null, shortcoming, books);

    /// <summary>Another process takes the feed.</summary>
    public void StandBy() => _state = new State(null, null, 0) { IsStandby = true };

    public void Down(string problem) => _state = new State(problem, null, 0);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var state = _state;
        return Task.FromResult(
            state.Problem != null ? new HealthCheckResult(context.Registration.FailureStatus, $"The exchange's feed is down: {state.Problem}")
            : state.IsStandby ? HealthCheckResult.Healthy("Another process takes the feed.")
            : state.Shortcoming != null ? HealthCheckResult.Degraded($"{state.Books} order books subscribed; {state.Shortcoming}")
            : HealthCheckResult.Healthy($"{state.Books} order books subscribed."));
    }

    private sealed record State(string? Problem, string? Shortcoming, int Books)
    {
        public bool IsStandby { get; init; }
    }
}
