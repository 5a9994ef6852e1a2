using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.Ingest.Leadership;

/// <summary>Who takes the exchange's feed, and the health check <c>leadership</c>. Thread-safe.</summary>
public sealed class LeadershipStatus : IHealthCheck
{
    private volatile State _state = new("waiting", 0, "");
    private volatile string? _problem;
    private int _terms;

    /// <summary><c>waiting</c>, <c>standby</c> or <c>active</c>.</summary>
    public string Role => _state.Role;

    /// <summary>The running term; 0 before the first.</summary>
    public long Term => _state.Term;

    /// <summary>Terms that this process has led since its start.</summary>
    public int TermsLed => Volatile.Read(ref _terms);

    public void Active(long term)
    {
        Interlocked.Increment(ref _terms);
        _state = new State("active", term, "");
    }

    public void StandBy(long term, string leader) => _state = new State("standby", term, leader);

    /// <summary>The topic cannot be read or written; null when it can.</summary>
    public void Trouble(string? problem) => _problem = problem;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var state = _state;
        string description = state.Role switch
        {
            "active" => $"Active, term {state.Term}.",
            "standby" => $"Standing by for {state.Leader}, term {state.Term}.",
            _ => "Asks who leads.",
        };
        return Task.FromResult(_problem is { } problem
            ? HealthCheckResult.Degraded($"{description} The election's topic does not answer: {problem}")
            : HealthCheckResult.Healthy(description));
    }

    private sealed record State(string Role, long Term, string Leader);
}
