using System.Diagnostics;

namespace MarketData.Benchmarks;

/// <summary>A LocalKafka of the benchmark's own, with its data in a temporary folder.</summary>
internal sealed class LocalBroker : IAsyncDisposable
{
    private const string Ready = "LocalKafka listening on ";
    private readonly Process _process;
    private readonly DirectoryInfo _data;

    private LocalBroker(Process process, DirectoryInfo data, string address) => (_process, _data, Address) = (process, data, address);

    /// <summary><c>host:port</c>.</summary>
    public string Address { get; }

    public static async Task<LocalBroker> StartAsync()
    {
        var data = Directory.CreateTempSubdirectory("market-data-benchmark-");
        var program = Path.Combine(AppContext.BaseDirectory, "MarketData.LocalKafka.dll");
        var process = Process.Start(new ProcessStartInfo("dotnet", [program, "--port", "0", "--data", data.FullName]) { RedirectStandardOutput = true })!;
        string? line;
        do line = await process.StandardOutput.ReadLineAsync();
        while (line != null && !line.StartsWith(Ready, StringComparison.Ordinal));
        if (line == null) throw new InvalidOperationException($"LocalKafka ended with exit code {process.ExitCode} before it was ready.");
        _ = process.StandardOutput.ReadToEndAsync();
        return new LocalBroker(process, data, line[Ready.Length..line.IndexOf(',', StringComparison.Ordinal)]);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _data.Delete(recursive: true);
    }
}
