using MarketData.Gateway.Admission;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Clients;
using MarketData.Gateway.Feed;
using MarketData.ServiceDefaults.WebSockets;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Fanout;

/// <summary>The log that the feed writes, and the threads that take it to the clients. Also the health check <c>fan-out</c>.</summary>
public sealed partial class FanoutService : IHostedService, IHealthCheck, IDisposable
{
    // A pass over all clients takes milliseconds.
    private static readonly TimeSpan UnhealthyWhenWaitingFor = TimeSpan.FromSeconds(5);

    private readonly SendBatch[] _batches;
    private readonly FanoutWorker[] _workers;
    private readonly Thread[] _threads;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly ILogger<FanoutService> _logger;

    public FanoutService(
        FeedInbox feed, IOptions<GatewayOptions> options, GatewayMetrics metrics, DeliveryLatency latency, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<FanoutService> logger)
    {
        (_lifetime, _logger) = (lifetime, logger);
        Log = new FeedLog(options.Value.LogMegabytes << 20, Wake);
        _batches = [.. Enumerable.Range(0, options.Value.Workers).Select(_ => new SendBatch(options.Value.IoUring))];
        _workers = [.. _batches.Select(batch => new FanoutWorker(Log, new ClientSender(Log, batch, feed, options.Value, metrics, latency, time)))];
        _threads = [.. _workers.Select((worker, number) => new Thread(() => Run(worker)) { IsBackground = true, Name = $"fan-out {number}" })];
        Log.Open([.. _workers.Select(worker => worker.Floor)]);
    }

    /// <summary>What the feed tells the workers.</summary>
    public FeedLog Log { get; }

    /// <summary>Whether the workers send many small messages in one system call.</summary>
    public bool UsesIoUring => _batches.All(batch => batch.HasIoUring);

    /// <summary>Lets the workers look at what has been added to the log.</summary>
    public void Wake()
    {
        foreach (var worker in _workers) worker.Wake();
    }

    /// <summary>Gives a new client to the worker with the fewest.</summary>
    internal GatewayClient Connect(ClientPermit permit, UpgradedConnection connection)
    {
        ClientTransport transport = connection.Socket is { } socket ? new SocketTransport(socket) : new StreamTransport(connection.Stream);
        var worker = _workers.MinBy(worker => worker.Count)!;
        worker.Assign();
        var output = new ClientOutput(Log, connection.IsDeflated ? FrameForm.Deflated : FrameForm.Plain, transport);
        // Here, where no worker knows the client yet.
        string sessionId = Guid.NewGuid().ToString("N");
        output.Queue.Add(WebSocketFrame.Text(ClientReply.Connected(sessionId)));
        var client = new GatewayClient(sessionId, permit, worker, output);
        transport.Ready = client.Signal;
        return client;
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Log.Waiting > UnhealthyWhenWaitingFor
            ? new HealthCheckResult(context.Registration.FailureStatus, $"A fan-out worker has not come on for {Log.Waiting.TotalSeconds:F0} s: clients receive nothing.")
            : HealthCheckResult.Healthy());

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (_batches.Select(batch => batch.Refusal).FirstOrDefault(refusal => refusal != null) is { } refusal) LogRefused(refusal);
        foreach (var thread in _threads) thread.Start();
        return Task.CompletedTask;
    }

    /// <summary>By now the server has ended every connection.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.Run(Stop, cancellationToken);

    public void Dispose()
    {
        // A start that failed half-way is not stopped by anybody. The container may dispose of a service twice.
        if (_threads.Any(thread => thread.IsAlive)) Stop();
        foreach (var worker in _workers) worker.Dispose();
        foreach (var batch in _batches) batch.Dispose();
    }

    private void Stop()
    {
        foreach (var worker in _workers) worker.Stop();
        foreach (var thread in _threads.Where(thread => thread.IsAlive)) thread.Join();
    }

    private void Run(FanoutWorker worker)
    {
        try
        {
            worker.Run();
        }
        catch (Exception exception)
        {
            // Its clients would wait for ever: better no gateway than a silent one.
            LogFailed(exception);
            _lifetime.StopApplication();
        }
        finally
        {
            worker.End();
        }
    }

    [LoggerMessage(41, LogLevel.Information, "The kernel does not allow io_uring here ({Reason}): each message to each client is a system call of its own.")]
    private partial void LogRefused(string reason);

    [LoggerMessage(40, LogLevel.Critical, "A fan-out worker has failed; the gateway stops.")]
    private partial void LogFailed(Exception exception);
}
