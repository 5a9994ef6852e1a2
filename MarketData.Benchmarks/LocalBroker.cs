namespace MarketData.Benchmarks;

/// <summary>A LocalKafka of the benchmark's own, with its data in a temporary folder.</summary>
internal sealed class LocalBroker : IAsyncDisposable
{
    private readonly ServiceProcess _process;
    private readonly DirectoryInfo _data;

    private LocalBroker(ServiceProcess process, DirectoryInfo data) => (_process, _data) = (process, data);

    /// <summary><c>host:port</c>.</summary>
    public string Address => _process.Address;

    public static async Task<LocalBroker> StartAsync()
    {
        var data = Directory.CreateTempSubdirectory("market-data-benchmark-");
        var process = await ServiceProcess.StartAsync(
            "MarketData.LocalKafka.dll", "LocalKafka listening on ", "--port", "0", "--data", data.FullName);
        return new LocalBroker(process, data);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _data.Delete(recursive: true);
    }
}
