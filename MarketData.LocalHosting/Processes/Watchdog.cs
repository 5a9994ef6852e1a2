using System.Diagnostics;
using System.Globalization;

namespace Aspire.Hosting;

/// <summary>
/// A shell of about a megabyte that waits for the end of this process, however it ends, and then ends the processes it was told of.
/// (Linux could end children with their parent, but ties that to the thread that started them.)
/// </summary>
internal sealed class Watchdog : IDisposable
{
    private const string SessionVariable = "LOCALHOSTING_SESSION";
    private static readonly TimeSpan ExitTimeout = TimeSpan.FromSeconds(10);
    private readonly string _session = Guid.NewGuid().ToString("N");
    private readonly Process _process;
    private readonly Lock _lock = new(); // processes start at once; lines must not mix

    public Watchdog(StateDirectory state)
    {
        var path = Path.Combine(state.Session, "watchdog.sh");
        using (var script = new StreamReader(typeof(Watchdog).Assembly.GetManifestResourceStream("watchdog.sh")!))
            StateDirectory.WritePrivate(path, script.ReadToEnd());
        var start = ProcessGroup.Start("/bin/sh", [path, _session, state.Session]);
        start.RedirectStandardInput = true;
        start.WorkingDirectory = "/";
        start.Environment.Remove(SessionVariable); // of an AppHost that is itself such a child
        _process = Process.Start(start) ?? throw new InvalidOperationException("/bin/sh was not started.");
        state.RememberWatchdog(_process);
    }

    /// <summary>Marks a process that is about to start.</summary>
    public void Mark(ProcessStartInfo start) => start.Environment[SessionVariable] = _session;

    /// <summary>Names a process that has started, the first of its process group.</summary>
    /// <exception cref="IOException">The watchdog was ended by somebody.</exception>
    public void Register(int processId) => Write(processId);

    /// <summary>Says that a process and its group are gone, so that its id can come to mean another.</summary>
    public void Forget(int processId)
    {
        try
        {
            Write(-processId);
        }
        catch (IOException)
        {
            // Somebody ended the watchdog: it has forgotten everything, and the next start says so.
            return;
        }
    }

    public void Dispose()
    {
        _process.StandardInput.Dispose();
        _process.WaitForExit(ExitTimeout);
        _process.Dispose();
    }

    private void Write(int processId)
    {
        lock (_lock)
        {
            _process.StandardInput.Write(string.Create(CultureInfo.InvariantCulture, $"{processId}\n"));
            _process.StandardInput.Flush();
        }
    }
}
