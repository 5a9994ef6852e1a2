using System.Diagnostics;

namespace MarketData.Benchmarks;

/// <summary>A LocalKafka of the benchmark's own, with its data in a temporary folder.</summary>
internal sealed class LocalBroker : IAsyncDisposable
{
    private const string Ready = "LocalKafka listening on ";
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("market-data-benchmark-");
    private Process? _process;

    private LocalBroker()
    {
    }

    /// <summary><c>host:port</c>; another one after each start.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Bytes of the process in memory now.</summary>
    public long ResidentBytes => Current.WorkingSet64;

    /// <summary>What the process has used of the processors since its start: the figure that other programs on the machine disturb least.</summary>
    public TimeSpan ProcessorTime => Current.TotalProcessorTime;

    private Process Current
    {
        get
        {
            _process!.Refresh();
            return _process;
        }
    }

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
        var program = Path.Combine(AppContext.BaseDirectory, "MarketData.LocalKafka.dll");
        var watch = Stopwatch.StartNew();
        _process = Process.Start(new ProcessStartInfo("dotnet", [program, "--port", "0", "--data", _data.FullName, .. options]) { RedirectStandardOutput = true })!;
        string? line;
        do line = await _process.StandardOutput.ReadLineAsync();
        while (line != null && !line.StartsWith(Ready, StringComparison.Ordinal));
        var took = watch.Elapsed;
        if (line == null) throw new InvalidOperationException("LocalKafka ended before it was ready; what it said stands above.");
        _ = _process.StandardOutput.ReadToEndAsync();
        Address = line[Ready.Length..line.IndexOf(',', StringComparison.Ordinal)];
        return took;
    }

    /// <summary>Ends the process as a crash does.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks the process to stop and waits until it has.</summary>
    public async Task StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", $"{_process!.Id}"])) await kill.WaitForExitAsync();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) await KillAsync();
        _process?.Dispose();
        _data.Delete(recursive: true);
    }
}
