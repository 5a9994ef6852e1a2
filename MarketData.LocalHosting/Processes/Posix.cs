using System.Runtime.InteropServices;

namespace Aspire.Hosting;

/// <summary>Signals, which <see cref="System.Diagnostics.Process"/> cannot send.</summary>
internal static partial class Posix
{
    public const int SigTerm = 15;
    public const int SigKill = 9;

    /// <summary>Sends a signal to a process group; false when no process of it is left.</summary>
    public static bool SignalGroup(int processGroupId, int signal) => Kill(-processGroupId, signal) == 0;

    /// <summary>Sends a signal to one process; false when it has ended.</summary>
    public static bool SignalProcess(int processId, int signal) => Kill(processId, signal) == 0;

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int processId, int signal);
}
