using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace MarketData.Tests.Integration.LocalKafka;

/// <summary>A LocalKafka process of a test's own, on a free port and a directory that goes with it.</summary>
internal sealed partial class BrokerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1), StopTimeout = TimeSpan.FromMinutes(1);

    private readonly ConcurrentQueue<string> _output = new();
    private readonly DirectoryInfo? _ownDirectory;
    private Process _process = null!;

    private BrokerProcess(string? dataDirectory)
    {
        if (dataDirectory is null) _ownDirectory = Directory.CreateTempSubdirectory("localkafka-test-");
        DataDirectory = dataDirectory ?? Path.Combine(_ownDirectory!.FullName, "data");
    }

    public string DataDirectory { get; }

    public int Port { get; private set; }

    public string Bootstrap => $"127.0.0.1:{Port}";

    public int ProcessId => _process.Id;

    /// <summary>Everything the broker has said, over all its starts.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>Where the program under test stands: beside the tests.</summary>
    public static string ProgramPath => Path.Combine(AppContext.BaseDirectory, "MarketData.LocalKafka.dll");

    public static async Task<BrokerProcess> StartAsync(params string[] arguments) => await StartInAsync(null, arguments);

    public static async Task<BrokerProcess> StartInAsync(string? dataDirectory, params string[] arguments)
    {
        var broker = new BrokerProcess(dataDirectory);
        try
        {
            await broker.StartAgainAsync(arguments);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the broker after a stop or a kill, on the same port.</summary>
    public async Task StartAgainAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[ProgramPath, "--data", DataDirectory, "--port", Port.ToString(CultureInfo.InvariantCulture), .. arguments]) start.ArgumentList.Add(argument);
        var ready = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                ready.TrySetException(new InvalidOperationException($"The broker ended before it was ready: {Output}"));
                return;
            }
            _output.Enqueue(line.Data);
            if (ReadyLine.Match(line.Data) is { Success: true } match) ready.TrySetResult(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null) _output.Enqueue(line.Data);
        };
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Port = await ready.Task.WaitAsync(StartTimeout);
    }

    /// <summary>Asks the broker to stop and waits until it has.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="TimeoutException">It has not stopped within the time that a stop may take with clients connected.</exception>
    public async Task<int> StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        await _process.WaitForExitAsync().WaitAsync(StopTimeout);
        return _process.ExitCode;
    }

    /// <summary>Ends the broker as a crash does.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(StopTimeout);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
        _ownDirectory?.Delete(recursive: true);
    }

    [GeneratedRegex(@"^LocalKafka listening on \S+:(\d+), data in ")]
    private static partial Regex ReadyLine { get; }
}
