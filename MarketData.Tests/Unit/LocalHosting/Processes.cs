using System.Diagnostics;

namespace MarketData.Tests.Unit.LocalHosting;

/// <summary>Whether processes of the operating system run.</summary>
internal static class Processes
{
    /// <summary>False also for a zombie, which has ended and only waits for its parent to notice.</summary>
    public static bool IsRunning(int id)
    {
        var stat = $"/proc/{id}/stat";
        try
        {
            if (OperatingSystem.IsLinux())
                return File.Exists(stat) && File.ReadAllText(stat) is var text && text[(text.LastIndexOf(')') + 2)..][0] is not ('Z' or 'X');
            using var process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (Exception e) when (e is ArgumentException or IOException)
        {
            return false; // it ended while we looked
        }
    }

    public static Task AllEndAsync(IEnumerable<int> ids, TimeSpan timeout) =>
        Eventually.TrueAsync(() => !ids.Any(IsRunning), timeout, () => $"end of processes {string.Join(", ", ids.Where(IsRunning))}");
}
