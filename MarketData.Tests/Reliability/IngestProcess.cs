using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MarketData.Tests.Reliability;

/// <summary>The ingest service as a process of its own, so that it can be ended as a crash ends it.</summary>
internal sealed partial class IngestProcess : IAsyncDisposable
{
    private const int LinesKept = 60;
    private static readonly string ProgramPath = Path.Combine(AppContext.BaseDirectory, "MarketData.Ingest.dll");
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60), StopTimeout = TimeSpan.FromSeconds(30);
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(20) };

    private IngestProcess(IEnumerable<(string Key, string Value)> settings)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(ProgramPath);
        start.ArgumentList.Add("--urls=http://127.0.0.1:0");
        foreach (var (key, value) in settings) start.ArgumentList.Add($"--{key}={value}");
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
    }

    /// <summary>The last lines that it has written.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>Starts one and waits until it answers HTTP, which says nothing about its feed.</summary>
    public static async Task<IngestProcess> StartAsync(IEnumerable<(string Key, string Value)> settings)
    {
        var ingest = new IngestProcess(settings);
        try
        {
            ingest._process.Start();
            ingest._process.BeginOutputReadLine();
            ingest._process.BeginErrorReadLine();
            ingest._http.BaseAddress = await ingest._listening.Task.WaitAsync(StartTimeout);
            return ingest;
        }
        catch
        {
            await ingest.DisposeAsync();
            throw;
        }
    }

    public async Task<JsonElement> StatsAsync() => await GetAsync("/stats");

    /// <summary>Waits until it leads or stands by: <c>active</c> or <c>standby</c>.</summary>
    public Task LeadsAsync(string role) => Eventually.TrueAsync(
        async () => (await StatsAsync()).GetProperty("leadership").GetProperty("role").GetString() == role, () => $"its role is {role}:\n{Output}");

    /// <summary>Waits until a health check has a status.</summary>
    public Task BecomesAsync(string check, string status)
    {
        string health = "";
        return Eventually.TrueAsync(
            async () =>
            {
                var report = await GetAsync("/health");
                health = report.GetRawText();
                return report.GetProperty("checks").EnumerateArray()
                    .Any(one => one.GetProperty("name").GetString() == check && one.GetProperty("status").GetString() == status);
            },
            () => $"{check} is {status}: {health}\n{Output}");
    }

    /// <summary>Asks it to stop, and waits until it has.</summary>
    public async Task StopAsync()
    {
        await SignalAsync("-TERM");
        await _process.WaitForExitAsync().WaitAsync(StopTimeout);
        Assert.True(_process.ExitCode == 0, $"ended with {_process.ExitCode}:\n{Output}");
    }

    /// <summary>Stops its clock, as a machine that is suspended does: it holds all its connections and does nothing.</summary>
    public Task HaltAsync() => SignalAsync("-STOP");

    /// <summary>It goes on as if no time had passed.</summary>
    public Task GoOnAsync() => SignalAsync("-CONT");

    /// <summary>Ends it as a crash does.</summary>
    public async Task KillAsync()
    {
        Assert.False(_process.HasExited, $"ended by itself:\n{Output}");
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(StopTimeout);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
        _http.Dispose();
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    private async Task<JsonElement> GetAsync(string path)
    {
        using var answer = await _http.GetAsync(path, TestContext.Current.CancellationToken);
        return JsonElement.Parse(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    private void Note(string? line)
    {
        if (line is null)
        {
            _listening.TrySetException(new InvalidOperationException($"Ingest ended before it listened:\n{Output}"));
            return;
        }

        _output.Enqueue(line);
        if (_output.Count > LinesKept) _output.TryDequeue(out _);
        if (Listening.Match(line) is { Success: true } match) _listening.TrySetResult(new Uri(match.Groups[1].Value));
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening { get; }
}
