using System.Diagnostics;

namespace MarketData.Benchmarks;

/// <summary>A program of this solution as a process of the benchmark's own.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(120);
    private readonly Process _process;

    private ServiceProcess(Process process, string address) => (_process, Address) = (process, address);

    /// <summary>What the program said after <c>ready</c>, up to the next comma or the end of the line.</summary>
    public string Address { get; }

    public int Id => _process.Id;

    /// <summary>Bytes of the process in memory now.</summary>
    public long ResidentBytes => Current.WorkingSet64;

    /// <summary>The most bytes that the process had in memory at any time.</summary>
    public long PeakResidentBytes => Current.PeakWorkingSet64;

    /// <summary>What the process has used of the processors since its start: the figure that other programs on the machine disturb least.</summary>
    public TimeSpan ProcessorTime => Current.TotalProcessorTime;

    private Process Current
    {
        get
        {
            _process.Refresh();
            return _process;
        }
    }

    /// <summary>Returns when the program has said that it is ready.</summary>
    /// <param name="assembly">The program, beside this one.</param>
    /// <param name="ready">The text on its standard output that comes before its address.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="InvalidOperationException">It ended before it was ready.</exception>
    /// <exception cref="TimeoutException">It was not ready within 2 min.</exception>
    public static async Task<ServiceProcess> StartAsync(string assembly, string ready, params string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, assembly);
        var process = Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true })!;
        if (await ReadyLineAsync(process, assembly, ready) is not { } line)
        {
            await process.WaitForExitAsync();
            throw new InvalidOperationException($"{assembly} ended with exit code {process.ExitCode} before it was ready.");
        }

        _ = process.StandardOutput.ReadToEndAsync();
        string address = line[(line.IndexOf(ready, StringComparison.Ordinal) + ready.Length)..];
        return new ServiceProcess(process, address.Split(',')[0].Trim());
    }

    // Null when the program ended before.
    private static async Task<string?> ReadyLineAsync(Process process, string assembly, string ready)
    {
        using var timeout = new CancellationTokenSource(StartTimeout);
        try
        {
            string? line;
            do line = await process.StandardOutput.ReadLineAsync(timeout.Token);
            while (line?.Contains(ready, StringComparison.Ordinal) == false);
            return line;
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"{assembly} was not ready within {StartTimeout.TotalSeconds} s: its output never had '{ready}'.");
        }
    }

    /// <summary>Asks the process to stop and waits until it has.</summary>
    public async Task StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"])) await kill.WaitForExitAsync();
        await _process.WaitForExitAsync();
    }

    /// <summary>Ends the process as a crash does.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
