using System.Diagnostics;
using System.Text;

namespace Aspire.Hosting;

/// <summary>A running process of a resource, with all that it starts.</summary>
internal sealed class ChildProcess
{
    private const int MaxLineLength = 8_192;
    private static readonly TimeSpan OutputTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(5);
    private readonly Process _process;
    private readonly Watchdog _watchdog;

    private ChildProcess(Process process, Watchdog watchdog, Action<string, bool> onLine)
    {
        (_process, _watchdog) = (process, watchdog);
        Id = process.Id;
        Exited = WaitForExitAsync(PumpAsync(process.StandardOutput, line => onLine(line, false)), PumpAsync(process.StandardError, line => onLine(line, true)));
    }

    public int Id { get; }

    /// <summary>Completes with the exit code when the process has ended and its output has been read.</summary>
    public Task<int> Exited { get; }

    /// <param name="spec">What to start.</param>
    /// <param name="watchdog">Ends it should the AppHost be killed.</param>
    /// <param name="onLine">Gets every line of output, and whether it came from standard error; called from two tasks.</param>
    public static ChildProcess Start(ProcessSpec spec, Watchdog watchdog, Action<string, bool> onLine)
    {
        var start = ProcessGroup.Start(spec.FileName, spec.Arguments);
        start.WorkingDirectory = spec.WorkingDirectory;
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        foreach (var own in (ReadOnlySpan<string>)["ASPNETCORE_URLS", "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT", "DOTNET_LAUNCH_PROFILE"])
            start.Environment.Remove(own);
        foreach (var (name, value) in spec.Environment)
            start.Environment[name] = value;
        watchdog.Mark(start);
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{spec.FileName} was not started.");
        try
        {
            watchdog.Register(process.Id);
        }
        catch (IOException e)
        {
            process.Kill();
            throw new InvalidOperationException("the watchdog, which would end it should the AppHost be killed, has ended", e);
        }
        process.StandardInput.Dispose(); // end of file at once: nobody types here
        return new(process, watchdog, onLine);
    }

    /// <summary>Asks the process to end (SIGTERM), and makes it (SIGKILL) once the grace period is over.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        // The process makes its group itself: for a moment after its start there is none.
        if (!Posix.SignalGroup(Id, Posix.SigTerm))
            Posix.SignalProcess(Id, Posix.SigTerm);
        try
        {
            await Exited.WaitAsync(grace);
        }
        catch (TimeoutException)
        {
            Posix.SignalGroup(Id, Posix.SigKill);
            await Exited.WaitAsync(KillTimeout);
        }
    }

    private async Task<int> WaitForExitAsync(Task output, Task error)
    {
        await _process.WaitForExitAsync();
        // What it started and left behind would keep the output open and the ports taken.
        Posix.SignalGroup(Id, Posix.SigKill);
        _watchdog.Forget(Id);
        await Task.WhenAny(Task.WhenAll(output, error), Task.Delay(OutputTimeout));
        var exitCode = _process.ExitCode;
        _process.Dispose();
        return exitCode;
    }

    /// <summary>Lines are cut at <see cref="MaxLineLength"/>, so that a process that never ends its line cannot fill the memory here.</summary>
    private static async Task PumpAsync(StreamReader reader, Action<string> onLine)
    {
        var buffer = new char[4_096];
        var line = new StringBuilder();
        try
        {
            while (await reader.ReadAsync(buffer) is > 0 and var count)
            {
                foreach (var c in buffer.AsSpan(0, count))
                {
                    if (c is not '\n')
                        line.Append(c);
                    if (c is '\n' || line.Length == MaxLineLength)
                    {
                        onLine(line.ToString().TrimEnd('\r'));
                        line.Clear();
                    }
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            onLine($"(output ends here: {e.Message})");
        }
        if (line.Length > 0)
            onLine(line.ToString());
    }
}
