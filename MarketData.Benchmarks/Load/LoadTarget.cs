using System.Diagnostics;
using System.Net;
using MarketData.ServiceDefaults.Redis;
using StackExchange.Redis;

namespace MarketData.Benchmarks.Load;

/// <summary>The gateway under load, given or of the load's own, with what it needs.</summary>
internal sealed class LoadTarget : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _own = [];
    private Process? _process;

    public required IPEndPoint Gateway { get; init; }

    /// <summary>Where messages are published; null for nowhere.</summary>
    public string? Redis { get; private init; }

    /// <summary>Null when the given gateway's process is not known.</summary>
    public (TimeSpan Processor, long ResidentBytes)? Usage
    {
        get
        {
            _process?.Refresh();
            return _process is { } process ? (process.TotalProcessorTime, process.WorkingSet64) : null;
        }
    }

    public static async Task<LoadTarget> OpenAsync(LoadOptions options)
    {
        if (options.Gateway is not { } given) return await StartAsync();
        return new LoadTarget
        {
            Gateway = given,
            Redis = options.Redis,
            _process = options.ProcessId is { } id ? Process.GetProcessById(id) : null,
        };
    }

    public Task<RespConnection> ConnectRedisAsync() =>
        RespConnection.ConnectAsync(ConfigurationOptions.Parse(Redis!), "load", CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        _process?.Dispose();
        foreach (var own in Enumerable.Reverse(_own)) await own.DisposeAsync();
    }

    private static async Task<LoadTarget> StartAsync()
    {
        var own = new List<IAsyncDisposable>();
        try
        {
            var redis = await LocalRedis.StartAsync();
            own.Add(redis);
            var kafka = await LocalBroker.StartAsync();
            own.Add(kafka);
            var gateway = await ServiceProcess.StartAsync(
                "MarketData.Gateway.dll", "Now listening on: ",
                "--urls", "http://127.0.0.1:0", "--ConnectionStrings:redis", redis.Address, "--ConnectionStrings:kafka", kafka.Address);
            own.Add(gateway);
            var target = new LoadTarget
            {
                Gateway = new IPEndPoint(IPAddress.Loopback, new Uri(gateway.Address).Port),
                Redis = redis.Address,
                _process = Process.GetProcessById(gateway.Id),
            };
            target._own.AddRange(own);
            return target;
        }
        catch
        {
            foreach (var started in Enumerable.Reverse(own)) await started.DisposeAsync();
            throw;
        }
    }
}
