using System.Runtime.InteropServices;

namespace Aspire.Hosting;

/// <summary>Finds programs.</summary>
internal static class Programs
{
    /// <summary>The dotnet host of the runtime that runs this process, whether or not it is on PATH.</summary>
    public static string Dotnet { get; } = FindDotnet();

    /// <summary>Full path of an executable file: of a path taken from <paramref name="directory"/>, of a bare name looked for on PATH; null if there is none.</summary>
    public static string? Find(string command, string? directory = null)
    {
        if (command.Contains(Path.DirectorySeparatorChar))
            return Path.GetFullPath(command, directory ?? Environment.CurrentDirectory) is var path && IsExecutable(path) ? path : null;
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(entry => Path.Combine(entry, command)).FirstOrDefault(IsExecutable);
    }

    private static bool IsExecutable(string path) =>
        File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0);

    private static string FindDotnet()
    {
        // {root}/shared/Microsoft.NETCore.App/{version}/
        var root = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        var host = Path.Combine(root, "dotnet");
        return File.Exists(host) ? host : Find("dotnet") ?? throw new DistributedApplicationException($"The dotnet host is neither in {root} nor on PATH.");
    }
}
