using System.Reflection;
using System.Runtime.InteropServices;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Hosting;

/// <summary>A topology that can be started, as child processes of this one.</summary>
public sealed class DistributedApplication : IAsyncDisposable, IDisposable
{
    private readonly DistributedApplicationBuilder _builder;
    private readonly bool _isTesting;
    private readonly ResourceLoggerService _logs = new();
    private readonly ServiceProvider _services;
    private readonly Lock _lock = new(); // disposing happens once, whoever asks
    private Topology? _topology;
    private Task? _disposing;

    internal DistributedApplication(DistributedApplicationBuilder builder, bool isTesting)
    {
        (_builder, _isTesting) = (builder, isTesting);
        Model = new(builder.Resources);
        ResourceNotifications = new(_logs, isTesting ? WaitBehavior.StopOnResourceUnavailable : WaitBehavior.WaitOnResourceUnavailable);
        ResourceCommands = new(() => _topology ?? throw new InvalidOperationException("The application has not started."));
        builder.Services.AddSingleton(Model);
        builder.Services.AddSingleton(_logs);
        builder.Services.AddSingleton(ResourceNotifications);
        builder.Services.AddSingleton(ResourceCommands);
        builder.Services.AddSingleton<IConfiguration>(builder.Configuration);
        _services = builder.Services.BuildServiceProvider();
    }

    /// <summary>Services of the AppHost itself.</summary>
    public IServiceProvider Services => _services;

    /// <summary>The states of the resources.</summary>
    public ResourceNotificationService ResourceNotifications { get; }

    /// <summary>Starts and stops single resources.</summary>
    public ResourceCommandService ResourceCommands { get; }

    internal DistributedApplicationModel Model { get; }

    /// <summary>To declare a topology.</summary>
    public static IDistributedApplicationBuilder CreateBuilder() => CreateBuilder([]);

    /// <summary>To declare a topology, with the AppHost's arguments.</summary>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => new DistributedApplicationBuilder(args, Assembly.GetEntryAssembly(), isTesting: false);

    /// <summary>Checks what can be checked beforehand and begins to start the resources; they go on starting after it returns.</summary>
    /// <exception cref="DistributedApplicationException">A port is taken, a program is missing, a project is not built, or artifacts for a deployment were asked for.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (_topology is not null)
            throw new InvalidOperationException("The application has started already.");
        if (_builder.ExecutionContext.IsPublishMode)
            throw new DistributedApplicationException("Publishing is Aspire's own work: build and run the AppHost with UseAspire=true, for example: UseAspire=true dotnet run --project MarketData.AppHost -- --operation publish --step publish");
        if (OperatingSystem.IsWindows())
            throw new DistributedApplicationException("Local hosting runs on Linux and macOS; on Windows use a container engine (UseAspire=true) or WSL.");
        _topology = await Topology.StartAsync(_builder, _logs, ResourceNotifications, _isTesting, cancellationToken);
    }

    /// <summary>Stops every resource, dependents first, within 10 s.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        if (_topology is not null)
            await _topology.StopAsync().WaitAsync(cancellationToken);
    }

    /// <summary>Runs until Ctrl-C, SIGTERM or the first failure of a resource, and shows states and logs on the console. A failure sets exit code 1.</summary>
    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>As <see cref="Run"/>, also until <paramref name="cancellationToken"/>.</summary>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        string? failure;
        await using (var console = new ConsoleReport(ResourceNotifications, _logs, Model))
        {
            failure = await RunUntilStoppedAsync(console, stop.Token);
            if (_topology is not null)
                console.Say("stopping");
            await DisposeAsync();
            if (_topology is not null)
                console.Say("stopped");
        }
        if (failure is not null)
        {
            await Console.Error.WriteLineAsync($"error: {failure}");
            Environment.ExitCode = 1;
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested; // a second one ends this process at once; the watchdog does the rest
            stop.Cancel();
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        lock (_lock)
            return new(_disposing ??= DisposeOnceAsync());
    }

    /// <inheritdoc />
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private async Task DisposeOnceAsync()
    {
        if (_topology is not null)
            await _topology.DisposeAsync();
        await _services.DisposeAsync();
    }

    /// <returns>What failed; null after a stop.</returns>
    private async Task<string?> RunUntilStoppedAsync(ConsoleReport console, CancellationToken stop)
    {
        try
        {
            await StartAsync(stop);
            console.Begin();
            return await _topology!.Failure.WaitAsync(stop);
        }
        catch (DistributedApplicationException e)
        {
            return e.Message;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
    }
}
