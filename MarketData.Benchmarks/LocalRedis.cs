using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MarketData.ServiceDefaults.Redis;
using StackExchange.Redis;

namespace MarketData.Benchmarks;

/// <summary>A <c>redis-server</c> of the benchmark's own on a free port, without persistence.</summary>
internal sealed class LocalRedis : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20), Retry = TimeSpan.FromMilliseconds(50);
    private readonly Process _process;

    private LocalRedis(Process process, string address) => (_process, Address) = (process, address);

    /// <summary><c>host:port</c>.</summary>
    public string Address { get; }

    /// <summary>What the process has used of the processors since its start.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static async Task<LocalRedis> StartAsync()
    {
        int port = FreePort();
        var process = Process.Start(new ProcessStartInfo(
            "redis-server", ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", Path.GetTempPath(), "--logfile", "/dev/null"]))!;
        var redis = new LocalRedis(process, $"127.0.0.1:{port}");
        try
        {
            await (await redis.ConnectAsync()).DisposeAsync();
            return redis;
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens a connection, as soon as the server answers.</summary>
    public async Task<RespConnection> ConnectAsync()
    {
        using var timeout = new CancellationTokenSource(StartTimeout);
        while (true)
        {
            try
            {
                return await RespConnection.ConnectAsync(ConfigurationOptions.Parse(Address), "benchmark", timeout.Token);
            }
            catch (IOException) when (!_process.HasExited)
            {
                await Task.Delay(Retry, timeout.Token);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static int FreePort()
    {
        using var free = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        free.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)free.LocalEndPoint!).Port;
    }
}
