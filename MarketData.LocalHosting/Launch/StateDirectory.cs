using System.Diagnostics;
using System.Globalization;

namespace Aspire.Hosting;

/// <summary>
/// Where an application keeps its data. Volumes persist below <c>$XDG_DATA_HOME/aspire-market-data</c> (default <c>~/.local/share</c>);
/// the session's own directory is temporary and private to the user. Under a testing builder everything is in the temporary one.
/// </summary>
internal sealed class StateDirectory : IDisposable
{
    private static readonly TimeSpan PredecessorTimeout = TimeSpan.FromSeconds(10);
    private readonly string _root;
    private readonly FileStream? _lock;

    private StateDirectory(string session, string root, FileStream? heldLock) => (Session, _root, _lock) = (session, root, heldLock);

    /// <summary>Deleted at the end.</summary>
    public string Session { get; }

    public static StateDirectory CreateTemporary()
    {
        var session = CreateSession();
        return new(session, Path.Combine(session, "data"), null);
    }

    /// <summary>The user's directory, which one AppHost has at a time.</summary>
    /// <exception cref="DistributedApplicationException">Another AppHost has it.</exception>
    public static async Task<StateDirectory> OpenForUserAsync(CancellationToken cancellationToken)
    {
        var dataHome = Environment.GetEnvironmentVariable("XDG_DATA_HOME");
        if (!Path.IsPathRooted(dataHome)) // the XDG specification says to ignore relative ones
            dataHome = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share");
        var root = Path.Combine(dataHome, "aspire-market-data");
        CreatePrivateDirectory(root);
        FileStream heldLock;
        try
        {
            heldLock = new FileStream(Path.Combine(root, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new DistributedApplicationException($"Another AppHost is using the data in {root}; stop it, or set XDG_DATA_HOME to another directory.", e);
        }
        await WaitForPredecessorAsync(root, cancellationToken);
        return new(CreateSession(), root, heldLock);
    }

    /// <summary>Directory of a data volume.</summary>
    public string Volume(string name) => Directory.CreateDirectory(Path.Combine(_root, "volumes", name)).FullName;

    /// <summary>Directory of a resource without a data volume: gone at the end.</summary>
    public string Ephemeral(string name) => Directory.CreateDirectory(Path.Combine(Session, name)).FullName;

    /// <summary>A text kept across runs that only the user may read, such as a generated password.</summary>
    public string Secret(string name, Func<string> generate)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_root, "secrets")).FullName, name);
        if (File.Exists(path))
            return File.ReadAllText(path).Trim();
        var secret = generate();
        WritePrivate(path, secret);
        return secret;
    }

    /// <summary>Writes a file that only the user may read, from its first byte on.</summary>
    public static void WritePrivate(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(path, options);
        writer.Write(text);
    }

    /// <summary>Lets the next AppHost wait for this watchdog if it has to clean up.</summary>
    public void RememberWatchdog(Process watchdog)
    {
        if (_lock is not null)
            File.WriteAllText(Path.Combine(_root, "watchdog"), string.Create(CultureInfo.InvariantCulture, $"{watchdog.Id} {watchdog.StartTime.ToUniversalTime().Ticks}"));
    }

    public void Dispose()
    {
        if (Directory.Exists(Session))
            Directory.Delete(Session, recursive: true);
        _lock?.Dispose();
    }

    private static void CreatePrivateDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static string CreateSession() => Directory.CreateTempSubdirectory("aspire-market-data-").FullName;

    /// <summary>After a kill -9 of the last AppHost, its watchdog is still ending processes that use the same data and ports.</summary>
    private static async Task WaitForPredecessorAsync(string root, CancellationToken cancellationToken)
    {
        var path = Path.Combine(root, "watchdog");
        if (!File.Exists(path) || (await File.ReadAllTextAsync(path, cancellationToken)).Split(' ') is not [var id, var ticks])
            return;
        try
        {
            using var watchdog = Process.GetProcessById(int.Parse(id, CultureInfo.InvariantCulture));
            var startDifference = watchdog.StartTime.ToUniversalTime() - new DateTime(long.Parse(ticks, CultureInfo.InvariantCulture), DateTimeKind.Utc);
            if (startDifference.Duration() < TimeSpan.FromSeconds(2)) // computed from the boot time, which is not exact
                await watchdog.WaitForExitAsync(cancellationToken).WaitAsync(PredecessorTimeout, cancellationToken);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // It has ended: nothing to wait for.
            return;
        }
        catch (TimeoutException e)
        {
            throw new DistributedApplicationException($"The processes of the last AppHost have not ended within {PredecessorTimeout.TotalSeconds} s; watchdog process {id} is still ending them.", e);
        }
    }
}
