using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using MarketData.LocalKafka.Api;
using MarketData.LocalKafka.Log;

namespace MarketData.LocalKafka.Server;

/// <summary>
/// Listens, and serves every client that connects. At a graceful stop it lets no one else in, ends the connections, and has everything
/// saved, so that the next start is quick.
/// </summary>
internal sealed partial class KafkaListener(
    BrokerOptions options, BrokerIdentity identity, ApiTable apis, BrokerMetrics metrics, LogMaintenance maintenance, TimeProvider time, ILogger<KafkaListener> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(2), IdleCheckInterval = TimeSpan.FromSeconds(10);

    private readonly Socket _listener = new(options.BindAddress.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<ClientConnection, Task> _connections = new();
    private Task _accepting = Task.CompletedTask, _watching = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            _listener.Bind(new IPEndPoint(options.BindAddress, options.Port));
            _listener.Listen(512);
        }
        catch (SocketException e)
        {
            throw new BrokerStartException($"Cannot listen on {options.BindAddress}:{options.Port}: {e.Message}. Name another port with --port, or 0 for a free one.", e);
        }
        identity.Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        if (!IPAddress.IsLoopback(options.BindAddress)) LogNotLoopback(logger, options.BindAddress);
        _accepting = AcceptAsync();
        _watching = CloseIdleConnectionsAsync();
        Console.WriteLine($"LocalKafka listening on {options.BindAddress}:{identity.Port}, data in {options.DataDirectory}");
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        var all = Task.WhenAll(_connections.Values.Append(_accepting).Append(_watching));
        await all.WaitAsync(DrainTimeout, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var connection in _connections.Keys) connection.Abort();
        maintenance.CheckpointAll();
        LogStopped(logger);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
            try
            {
                var socket = await _listener.AcceptAsync(_stopping.Token);
                if (_connections.Count >= options.MaxConnections)
                {
                    LogTooMany(logger, options.MaxConnections);
                    socket.Dispose();
                    continue;
                }
                socket.NoDelay = true;
                var connection = new ClientConnection(socket, apis, metrics, options, time);
                var serving = new TaskCompletionSource();
                _connections[connection] = serving.Task;
                metrics.ConnectionOpened();
                _ = Task.Run(() => ServeAsync(socket, connection, serving));
            }
            catch (Exception e) when (_stopping.IsCancellationRequested && e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of file descriptors, or a client that was gone before it was let in.
                LogAcceptFailed(logger, e);
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, CancellationToken.None);
            }
    }

    private async Task ServeAsync(Socket socket, ClientConnection connection, TaskCompletionSource serving)
    {
        try
        {
            await connection.RunAsync(_stopping.Token);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            LogConnectionEnded(logger, e.Message);
        }
#pragma warning disable CA1031 // One connection's failure, whatever it is, must not end the others; it is logged as the defect it is.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogRequestFailed(logger, e);
        }
        finally
        {
            socket.Dispose();
            _connections.TryRemove(connection, out _);
            metrics.ConnectionClosed();
            serving.SetResult();
        }
    }

    private async Task CloseIdleConnectionsAsync()
    {
        using var timer = new PeriodicTimer(IdleCheckInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
                foreach (var connection in _connections.Keys)
                    if (connection.Idle > options.ConnectionMaxIdle) connection.Abort();
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The ordinary end.
        }
    }

    [LoggerMessage(401, LogLevel.Warning, "Listening on {Address}, which other machines may reach: there is no authentication and no encryption. Use --host 127.0.0.1 unless that is meant")]
    private static partial void LogNotLoopback(ILogger logger, IPAddress address);

    [LoggerMessage(402, LogLevel.Warning, "A connection was refused: {MaxConnections} are open. Raise --max.connections if that is meant")]
    private static partial void LogTooMany(ILogger logger, int maxConnections);

    [LoggerMessage(403, LogLevel.Warning, "A connection could not be accepted; listening goes on")]
    private static partial void LogAcceptFailed(ILogger logger, Exception e);

    [LoggerMessage(404, LogLevel.Debug, "A connection ended: {Reason}")]
    private static partial void LogConnectionEnded(ILogger logger, string reason);

    [LoggerMessage(405, LogLevel.Error, "A request failed unexpectedly; its connection is closed")]
    private static partial void LogRequestFailed(ILogger logger, Exception e);

    [LoggerMessage(406, LogLevel.Information, "Stopped; everything is saved")]
    private static partial void LogStopped(ILogger logger);
}
