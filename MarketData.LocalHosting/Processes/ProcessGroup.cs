using System.Diagnostics;

namespace Aspire.Hosting;

/// <summary>
/// Starts programs as first of a session and process group of their own: Ctrl-C in the terminal reaches only the AppHost, which then
/// stops them in order, and a signal to the group reaches whatever they started.
/// </summary>
internal static class ProcessGroup
{
    // Both replace themselves by the program, so that the process id stays. macOS has no setsid, but perl.
    private static readonly string[] Prefix = Programs.Find("setsid") is { } setsid ? [setsid]
        : Programs.Find("perl") is { } perl ? [perl, "-MPOSIX", "-e", "POSIX::setsid(); exec { $ARGV[0] } @ARGV or exit 127", "--"]
        : throw new DistributedApplicationException("Local hosting needs setsid (package util-linux) or perl on PATH to start processes in groups of their own.");

    public static ProcessStartInfo Start(string program, IEnumerable<string> arguments) => new(Prefix[0], [.. Prefix[1..], program, .. arguments]);
}
