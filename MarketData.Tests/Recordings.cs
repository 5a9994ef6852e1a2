using System.IO.Compression;
using System.Text;

namespace MarketData.Tests;

/// <summary>
/// Real exchange sessions, which are not part of the repository: <c>../shared/data/kalshi</c> beside it, or the folder that the
/// environment variable <c>KALSHI_RECORDINGS</c> names.
/// </summary>
public static class Recordings
{
    public const string FolderVariable = "KALSHI_RECORDINGS";

    public const string FixedPointSession = "session-2026-fixed-point.jsonl";
    public const string QuietSession = "session-2026-gold15m-quiet.jsonl.gz";
    public const string BurstSession = "session-2026-gold15m-burst.jsonl.gz";
    public const string CurrentFrames = "frames-2026-misc.jsonl";
    public const string LegacyFrames = "frames-2025-legacy.jsonl";

    private static string Folder => Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named
        ? named
        : Path.GetFullPath(Path.Combine(RepositoryRoot(), "..", "shared", "data", "kalshi"));

    /// <summary>The path of a recording; null when it is not there.</summary>
    public static string? TryFind(string file)
    {
        string path = Path.Combine(Folder, file);
        return File.Exists(path) ? path : null;
    }

    /// <summary>The path of a recording; skips the running test, saying what is missing, when it is not there.</summary>
    public static string Require(string file)
    {
        var path = TryFind(file);
        Assert.SkipUnless(path != null, $"The recording {file} is not in {Folder}; set {FolderVariable} to the folder that has it.");
        return path!;
    }

    /// <summary>The frames of a recording, one a line, without their line ends; skips the running test when it is not there.</summary>
    public static List<byte[]> Frames(string file)
    {
        string path = Require(file);
        using Stream stored = File.OpenRead(path);
        using var text = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(stored, CompressionMode.Decompress) : stored;
        using var lines = new StreamReader(text, Encoding.UTF8);
        var frames = new List<byte[]>();
        while (lines.ReadLine() is { } line) frames.Add(Encoding.UTF8.GetBytes(line));
        return frames;
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "AspireMarketData.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException($"No AspireMarketData.sln above {AppContext.BaseDirectory}.");
    }
}
