using System.Diagnostics;

namespace MarketData.Benchmarks;

/// <summary>A LocalKafka of the benchmark's own, with its data in a temporary folder.</summary>
internal sealed class LocalBroker : IAsyncDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("market-data-benchmark-");
    private ServiceProcess? _process;

    private LocalBroker()
    {
    }

    /// <summary>The process of the last start.</summary>
    public ServiceProcess Process => _process ?? throw new InvalidOperationException("The broker was not started.");

    /// <summary><c>host:port</c>; another one after each start.</summary>
    public string Address => Process.Address;

    public static async Task<LocalBroker> StartAsync(params string[] options)
    {
        var broker = new LocalBroker();
        try
        {
            await broker.StartAgainAsync(options);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts on the same data.</summary>
    /// <returns>From the start of the process until clients can connect.</returns>
    public async Task<TimeSpan> StartAgainAsync(params string[] options)
    {
        var watch = Stopwatch.StartNew();
        _process = await ServiceProcess.StartAsync(
            "MarketData.LocalKafka.dll", "LocalKafka listening on ", ["--port", "0", "--data", _data.FullName, .. options]);
        return watch.Elapsed;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process) await process.DisposeAsync();
        _data.Delete(recursive: true);
    }
}
