using System.Globalization;
using System.Security.Cryptography;

namespace MarketData.LocalKafka.Log;

/// <summary>The broker's directory: one broker at a time uses it, which a lock file ensures, and it holds the identity of the cluster.</summary>
internal sealed class DataDirectory : IDisposable
{
    private const int LinuxWouldBlock = 11, MacOsWouldBlock = 35, WindowsSharingViolation = unchecked((int)0x80070020);

    private readonly FileStream _lock;

    /// <summary>Makes the directory when missing, and takes it.</summary>
    /// <exception cref="BrokerStartException">It cannot be made or written, or another broker has it.</exception>
    public DataDirectory(string path)
    {
        Root = path;
        var lockPath = Path.Combine(path, ".lock");
        try
        {
            Directory.CreateDirectory(TopicsPath);
            Directory.CreateDirectory(DeletedPath);
            _lock = new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult is LinuxWouldBlock or MacOsWouldBlock or WindowsSharingViolation)
        {
            throw new BrokerStartException($"The data directory {path} is in use by another broker (it holds {lockPath}). Stop that one, or name another directory with --data.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BrokerStartException($"The data directory {path} cannot be used: {e.Message} Name a directory that can be written with --data.", e);
        }
    }

    public string Root { get; }

    public string TopicsPath => Path.Combine(Root, "topics");

    /// <summary>Where deleted topics go until their files are gone.</summary>
    public string DeletedPath => Path.Combine(Root, "deleted");

    public string OffsetsPath => Path.Combine(Root, "offsets");

    public string ProducerIdsPath => Path.Combine(Root, "producer-ids");

    /// <summary>The identity clients see: 22 characters, made once.</summary>
    public string LoadClusterId()
    {
        var path = Path.Combine(Root, "cluster-id");
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: 22 } known) return known;
        var made = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        AtomicFile.Write(path, System.Text.Encoding.ASCII.GetBytes(made));
        return made;
    }

    public void Dispose() => _lock.Dispose();
}

/// <summary>Gives every idempotent producer an id that was never given before, also across restarts. Thread-safe.</summary>
internal sealed class ProducerIds(string path)
{
    /// <summary>Ids taken from the file at a time; a crash loses the rest of a block, which does no harm.</summary>
    private const int BlockSize = 1000;

    private readonly Lock _lock = new();
    private long _next, _reservedUpTo;

    public long Next()
    {
        lock (_lock)
        {
            if (_next == _reservedUpTo) Reserve();
            return _next++;
        }
    }

    private void Reserve()
    {
        if (_reservedUpTo == 0 && File.Exists(path)) _next = long.Parse(File.ReadAllText(path), CultureInfo.InvariantCulture);
        var upTo = _next + BlockSize;
        AtomicFile.Write(path, System.Text.Encoding.ASCII.GetBytes(upTo.ToString(CultureInfo.InvariantCulture)));
        _reservedUpTo = upTo;
    }
}
