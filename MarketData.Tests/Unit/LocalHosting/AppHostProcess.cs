using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace MarketData.Tests.Unit.LocalHosting;

/// <summary>The real AppHost as a process of its own, with free ports and all its files in a temporary directory.</summary>
internal sealed class AppHostProcess : IAsyncDisposable
{
    private readonly AppHostProcess? _predecessor;
    private readonly DirectoryInfo _directory;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly Process _process;

    /// <param name="args">Arguments of the AppHost.</param>
    /// <param name="configureEnvironment">Changes its environment.</param>
    /// <param name="predecessor">An AppHost whose directories, and so whose data, this one takes over.</param>
    public AppHostProcess(string[] args, Action<IDictionary<string, string?>>? configureEnvironment = null, AppHostProcess? predecessor = null)
    {
        _predecessor = predecessor;
        _directory = predecessor?._directory ?? Directory.CreateTempSubdirectory("apphost-test-");
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet",
            [typeof(Projects.MarketData_AppHost).Assembly.Location, "--DcpPublisher:RandomizePorts=true", .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["XDG_DATA_HOME"] = _directory.FullName;
        start.Environment["TMPDIR"] = _directory.FullName;
        configureEnvironment?.Invoke(start.Environment);
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public string Output => string.Join('\n', _output);

    /// <summary>Process ids by resource, from the last table that it printed.</summary>
    public IReadOnlyDictionary<string, int> ProcessIds =>
        _output.Select(l => l.Split('|', 2)).Where(p => p.Length == 2 && p[0].Trim() == "apphost")
            .Select(p => p[1].Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(c => c.Length == 4 && int.TryParse(c[3], CultureInfo.InvariantCulture, out _))
            .GroupBy(c => c[0]).ToDictionary(g => g.Key, g => int.Parse(g.Last()[3], CultureInfo.InvariantCulture));

    /// <summary>Temporary directories that a session has left.</summary>
    public IEnumerable<string> SessionDirectories => Directory.EnumerateDirectories(_directory.FullName, "aspire-market-data-*");

    public Task StartedAsync() => Eventually.TrueAsync(() => ProcessIds.ContainsKey("redis"), Applications.StartTimeout, () => $"table with processes; it printed:\n{Output}");

    public void Interrupt()
    {
        using var kill = Process.Start("kill", ["-INT", Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>SIGKILL.</summary>
    public void Kill() => _process.Kill();

    public async Task<int> ExitCodeAsync(TimeSpan timeout)
    {
        using var limit = new CancellationTokenSource(timeout);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        var processes = ProcessIds.Values.ToArray();
        if (!_process.HasExited)
            _process.Kill();
        await Processes.AllEndAsync(processes, TimeSpan.FromMinutes(1));
        _process.Dispose();
        if (_predecessor is not null)
            return; // the directories are its
        await Eventually.TrueAsync(() => !SessionDirectories.Any(), TimeSpan.FromMinutes(1), () => "end of the watchdog");
        _directory.Delete(recursive: true);
    }

    private void Add(string? line)
    {
        if (line is not null)
            _output.Enqueue(line);
    }
}
