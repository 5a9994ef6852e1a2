using MarketData.Gateway.Admission;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Clients;

/// <summary>
/// Empties a gateway that stops, before its server does: nobody new comes in, those who are there are told to go, spread over some seconds.
/// Until then the feed goes on for them. Also the health check <c>clients</c>.
/// </summary>
public sealed partial class ClientDrain(ConnectedClients clients, IOptions<AdmissionOptions> options, TimeProvider time, ILogger<ClientDrain> logger)
    : IHostedLifecycleService, IHealthCheck
{
    // So few clients do no harm anywhere when they come at once, and nobody waits for the end of a gateway with hardly any.
    private const int MinClosesPerSecond = 500;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(clients.IsDraining ? new HealthCheckResult(context.Registration.FailureStatus, ConnectedClients.Stopping.Error) : HealthCheckResult.Healthy());

    /// <summary>Called first of all when the host stops, while the server still answers. Ends when every client has gone.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        clients.BeginDrain();
        if (clients.Count == 0) return;
        LogDraining(clients.Count, options.Value.DrainSeconds);
        try
        {
            await SendAllAwayAsync(cancellationToken);
            // Each has its own time limit for the closing handshake.
            while (clients.Count > 0) await Task.Delay(Tick, time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            LogCut(clients.Count);
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task SendAllAwayAsync(CancellationToken cancellationToken)
    {
        var leaving = clients.All.Select(entry => entry.Client).ToArray();
        Random.Shared.Shuffle(leaving);
        double perSecond = Math.Max(MinClosesPerSecond, leaving.Length / Math.Max(options.Value.DrainSeconds, Tick.TotalSeconds));
        long start = time.GetTimestamp();
        for (int sent = 0; sent < leaving.Length;)
        {
            int due = Math.Min(leaving.Length, 1 + (int)(time.GetElapsedTime(start).TotalSeconds * perSecond));
            while (sent < due) ConnectedClients.SendAway(leaving[sent++]);
            if (sent < leaving.Length) await Task.Delay(Tick, time, cancellationToken);
        }
    }

    [LoggerMessage(50, LogLevel.Information, "Stopping: {Count} clients are told to connect elsewhere, within {Seconds} s; nobody new is let in.")]
    private partial void LogDraining(int count, int seconds);

    [LoggerMessage(51, LogLevel.Warning, "Stopping: the time is over and {Count} clients are cut off.")]
    private partial void LogCut(int count);
}
