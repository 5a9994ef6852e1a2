using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Aspire.Hosting;

/// <summary>One loopback port before several: each connection goes to the next target that accepts it, and stays there.</summary>
internal sealed class RoundRobinProxy : IAsyncDisposable
{
    private const int BufferSize = 32 * 1024;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AcceptRetryDelay = TimeSpan.FromMilliseconds(20);
    private readonly IReadOnlyList<int> _targetPorts;
    private readonly List<Socket> _listeners = [];
    private readonly ConcurrentDictionary<Socket, Socket> _connections = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;
    private int _next = -1;

    public RoundRobinProxy(int port, IReadOnlyList<int> targetPorts)
    {
        _targetPorts = targetPorts;
        foreach (var address in Socket.OSSupportsIPv6 ? new[] { IPAddress.Loopback, IPAddress.IPv6Loopback } : [IPAddress.Loopback])
        {
            var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }; // what it accepts inherits it
            try
            {
                listener.Bind(new IPEndPoint(address, port));
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressNotAvailable && _listeners.Count > 0)
            {
                listener.Dispose(); // no IPv6 loopback on this machine
                continue;
            }
            listener.Listen(4_096);
            _listeners.Add(listener);
        }
        _accepting = Task.WhenAll(_listeners.Select(AcceptAsync));
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listeners.ForEach(l => l.Dispose());
        await _accepting;
        foreach (var (client, target) in _connections)
            Close(client, target);
        _stopping.Dispose();
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptAsync(_stopping.Token);
                _ = ForwardAsync(client); // ends with its connection; every failure of it closes just that
            }
            catch (SocketException)
            {
                // The client went away before it was accepted, or the process has too many files open, which only time mends.
                await Task.Delay(AcceptRetryDelay);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ForwardAsync(Socket client)
    {
        if (await ConnectAsync() is not { } target)
        {
            client.Close(0); // as a port on which nobody listens
            return;
        }
        _connections[client] = target;
        await Task.WhenAll(CopyAsync(client, target), CopyAsync(target, client));
        _connections.TryRemove(client, out _);
        Close(client, target);
    }

    private async Task<Socket?> ConnectAsync()
    {
        for (var attempt = 0; attempt < _targetPorts.Count; attempt++)
        {
            var port = _targetPorts[(int)((uint)Interlocked.Increment(ref _next) % (uint)_targetPorts.Count)];
            var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            limit.CancelAfter(ConnectTimeout);
            try
            {
                await target.ConnectAsync(IPAddress.Loopback, port, limit.Token);
                return target;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                target.Dispose(); // this replica is down: the next one
            }
        }
        return null;
    }

    /// <summary>Copies until the end of the stream, and hands that on; an error ends both directions.</summary>
    private static async Task CopyAsync(Socket from, Socket to)
    {
        try
        {
            while (true)
            {
                // Waits without a buffer: thousands of idle connections would hold one each.
                await from.ReceiveAsync(Memory<byte>.Empty);
                var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
                try
                {
                    var count = await from.ReceiveAsync(buffer);
                    if (count == 0)
                        break;
                    await SendAllAsync(to, buffer.AsMemory(0, count));
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Close(from, to);
        }
    }

    private static async Task SendAllAsync(Socket to, ReadOnlyMemory<byte> data)
    {
        while (data.Length > 0)
            data = data[await to.SendAsync(data)..];
    }

    private static void Close(Socket client, Socket target)
    {
        client.Dispose();
        target.Dispose();
    }
}
