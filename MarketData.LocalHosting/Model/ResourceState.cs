using System.Collections.Immutable;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The names of the states of a resource.</summary>
public static class KnownResourceStates
{
    /// <summary>Not started yet.</summary>
    public static readonly string NotStarted = nameof(NotStarted);

    /// <summary>Waits for other resources.</summary>
    public static readonly string Waiting = nameof(Waiting);

    /// <summary>Its process is being started.</summary>
    public static readonly string Starting = nameof(Starting);

    /// <summary>Its process runs; whether it is of use is for the health checks to say.</summary>
    public static readonly string Running = nameof(Running);

    /// <summary>Its process could not be started.</summary>
    public static readonly string FailedToStart = nameof(FailedToStart);

    /// <summary>Its process has been asked to end.</summary>
    public static readonly string Stopping = nameof(Stopping);

    /// <summary>It was stopped.</summary>
    public static readonly string Exited = nameof(Exited);

    /// <summary>Its process ended by itself.</summary>
    public static readonly string Finished = nameof(Finished);

    /// <summary>The states in which no process runs and none is about to.</summary>
    public static readonly IReadOnlyList<string> TerminalStates = [Finished, FailedToStart, Exited];
}

/// <summary>A state by name.</summary>
public sealed record ResourceStateSnapshot(string Text, string? Style = null)
{
    /// <summary>The state with that name.</summary>
    public static implicit operator ResourceStateSnapshot?(string? text) => text is null ? null : new(text);
}

/// <summary>What a health check said last.</summary>
/// <param name="Name">Key of the check.</param>
/// <param name="Status">Its verdict; null before the first.</param>
/// <param name="Description">The reason.</param>
/// <param name="ExceptionText">Always null here: the reason says it.</param>
public sealed record HealthReportSnapshot(string Name, HealthStatus? Status, string? Description, string? ExceptionText);

/// <summary>A named fact about a resource; <c>executable.pid</c> is its process id.</summary>
public sealed record ResourcePropertySnapshot(string Name, object? Value);

/// <summary>What is known of a resource at one moment.</summary>
public sealed record CustomResourceSnapshot
{
    /// <summary>State, see <see cref="KnownResourceStates"/>.</summary>
    public ResourceStateSnapshot? State { get; init; }

    /// <summary>Null unless running; healthy when running and no check says otherwise.</summary>
    public HealthStatus? HealthStatus { get; init; }

    /// <summary>Exit code of the last process when none runs.</summary>
    public int? ExitCode { get; init; }

    /// <summary>The checks one by one.</summary>
    public ImmutableArray<HealthReportSnapshot> HealthReports { get; init; } = [];

    /// <summary>Further facts.</summary>
    public ImmutableArray<ResourcePropertySnapshot> Properties { get; init; } = [];

    internal bool IsTerminal => State is { } state && KnownResourceStates.TerminalStates.Contains(state.Text);

    internal string StateText => State?.Text ?? KnownResourceStates.NotStarted;
}

/// <summary>A resource's state after a change.</summary>
public sealed class ResourceEvent(IResource resource, string resourceId, CustomResourceSnapshot snapshot)
{
    /// <summary>The resource.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>The resource's name; where there are several replicas, <c>{name}-{1…n}</c> of the one whose state this is.</summary>
    public string ResourceId { get; } = resourceId;

    /// <summary>The state.</summary>
    public CustomResourceSnapshot Snapshot { get; } = snapshot;
}

/// <summary>What waiting does when the awaited resource ends or cannot start.</summary>
public enum WaitBehavior
{
    /// <summary>Goes on: somebody may start it again.</summary>
    WaitOnResourceUnavailable,

    /// <summary>Fails with a <see cref="DistributedApplicationException"/>.</summary>
    StopOnResourceUnavailable,
}
