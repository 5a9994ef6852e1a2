using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MarketData.Ingest.Bootstrap;

/// <summary>How far the bootstrap is, and its health check <c>bootstrap</c>. Thread-safe.</summary>
public sealed class BootstrapStatus : IHealthCheck
{
    private volatile string? _phase = "has not begun";
    private volatile string? _problem;
    private long _records, _total, _unreadable;
    private int _books;

    /// <summary><c>waiting</c>, <c>bootstrapping</c>, <c>following</c> (standing by), <c>done</c> or <c>off</c>.</summary>
    public string State { get; private set; } = "waiting";

    public long Records => Interlocked.Read(ref _records);

    public long Total => Interlocked.Read(ref _total);

    public long Unreadable => Interlocked.Read(ref _unreadable);

    /// <summary>Books read back.</summary>
    public int Books => Volatile.Read(ref _books);

    public void Off()
    {
        (State, _phase) = ("off", null);
    }

    /// <summary>Something is waited for; null when it is there.</summary>
    public void Waiting(string? problem) => _problem = problem;

    /// <summary>So many records more are to be read.</summary>
    public void Begin(long total)
    {
        Interlocked.Add(ref _total, total);
        if (State == "waiting") (State, _phase) = ("bootstrapping", "bootstrapping");
    }

    public void Read(int records) => Interlocked.Add(ref _records, records);

    /// <summary>The log is read back as far as it goes, and read on while another process leads.</summary>
    public void Following() => (State, _phase, _problem) = ("following", null, null);

    public void Done(int books, long unreadable)
    {
        Volatile.Write(ref _books, books);
        Interlocked.Exchange(ref _unreadable, unreadable);
        (State, _phase, _problem) = ("done", null, null);
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        string? phase = _phase, problem = _problem;
        return Task.FromResult(
            phase == null ? HealthCheckResult.Healthy(State == "off" ? "Switched off." : State == "following" ? $"Follows the log: {Records} records read." : $"{Books} books read back from {Records} records.")
            : new HealthCheckResult(
                context.Registration.FailureStatus,
                $"{phase}: {Records} of {Total} records read back from the log.{(problem == null ? "" : $" Waiting for Kafka: {problem}")}"));
    }
}
