namespace Aspire.Hosting.ApplicationModel;

/// <summary>The names of the commands that every resource has.</summary>
public static class KnownResourceCommands
{
    /// <summary>Starts the resource, if it does not run.</summary>
    public static readonly string StartCommand = "resource-start";

    /// <summary>Stops the resource, if it runs, and waits for its end.</summary>
    public static readonly string StopCommand = "resource-stop";

    /// <summary>Stops and starts the resource.</summary>
    public static readonly string RestartCommand = "resource-restart";
}

/// <summary>What became of a command.</summary>
public sealed class ExecuteCommandResult
{
    /// <summary>Whether it did what it says.</summary>
    public required bool Success { get; init; }

    /// <summary>Why not.</summary>
    public string? ErrorMessage { get; init; }
}

/// <summary>Starts and stops single resources of a running application.</summary>
public sealed class ResourceCommandService
{
    private readonly Func<Topology> _topology;

    internal ResourceCommandService(Func<Topology> topology) => _topology = topology;

    /// <summary>Executes a command on the resource with that name, or on one of several replicas by its own name <c>{name}-{1…n}</c>.</summary>
    public Task<ExecuteCommandResult> ExecuteCommandAsync(string resourceId, string commandName, CancellationToken cancellationToken = default) =>
        _topology().ExecuteCommandAsync(resourceId, commandName, cancellationToken);

    /// <summary>Executes a command on every replica of a resource.</summary>
    public Task<ExecuteCommandResult> ExecuteCommandAsync(IResource resource, string commandName, CancellationToken cancellationToken = default) =>
        ExecuteCommandAsync(resource.Name, commandName, cancellationToken);
}
