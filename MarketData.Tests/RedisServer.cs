using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MarketData.ServiceDefaults.Redis;
using StackExchange.Redis;

namespace MarketData.Tests;

/// <summary>A <c>redis-server</c> process with a password on a port of loopback, its data in a folder of its own.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("marketdata-redis-");
    private readonly int _port;
    private readonly string _password;
    private readonly bool _isDurable;
    private Process _process;

    /// <param name="port">A port that is free.</param>
    /// <param name="password">What clients must say.</param>
    /// <param name="isDurable">Whether <see cref="Restart"/> finds the data again.</param>
    public RedisServer(int port, string password, bool isDurable = false)
    {
        (_port, _password, _isDurable) = (port, password, isDurable);
        _process = Start();
    }

    public string ConnectionString => $"127.0.0.1:{_port},password={_password}";

    /// <summary>Starts one on a free port and waits until it answers.</summary>
    public static async Task<RedisServer> StartAsync(bool isDurable = false)
    {
        using var free = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        free.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)free.LocalEndPoint!).Port;
        free.Dispose();
        var server = new RedisServer(port, "redis-secret", isDurable);
        await (await server.ConnectAsync()).DisposeAsync();
        return server;
    }

    /// <summary>Opens a connection, as soon as the server answers.</summary>
    public async Task<RespConnection> ConnectAsync()
    {
        RespConnection? connection = null;
        var options = ConfigurationOptions.Parse(ConnectionString);
        string problem = "";
        await Eventually.TrueAsync(
            () =>
            {
                try
                {
                    connection = RespConnection.ConnectAsync(options, "test", TestContext.Current.CancellationToken).GetAwaiter().GetResult();
                }
                catch (Exception exception) when (exception is IOException or TimeoutException or RedisException)
                {
                    problem = exception.Message;
                }

                return connection != null;
            },
            TimeSpan.FromSeconds(30),
            () => $"a connection to Redis: {problem}");
        return connection!;
    }

    /// <summary>Ends the process as a crash would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    /// <summary>Starts again on the same port.</summary>
    /// <param name="forgets">Whether a durable one has lost its data.</param>
    public void Restart(bool forgets = false)
    {
        if (forgets)
        {
            _folder.Delete(recursive: true);
            _folder.Create();
        }

        _process = Start();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _folder.Delete(recursive: true);
    }

    private Process Start() => Process.Start(new ProcessStartInfo("redis-server",
    [
        "--port", $"{_port}", "--bind", "127.0.0.1", "--requirepass", _password, "--save", "", "--appendonly", _isDurable ? "yes" : "no", "--appendfsync", "no", "--dir", _folder.FullName,
    ])
    {
        RedirectStandardOutput = true,
    })!;
}
