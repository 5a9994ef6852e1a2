namespace MarketData.MockKalshi;

/// <summary>The program's arguments: short names of settings, and the settings themselves as <c>--Section:Key value</c>.</summary>
internal static class CommandLine
{
    public const string Usage = """
        A Kalshi exchange for development: simulated markets, or a recorded session.

        MarketData.MockKalshi --urls http://127.0.0.1:9090 [options]
          --markets N     open markets of the simulation (40)
          --rate R        book changes a second over all markets (100)
          --burst N       acts of participants in one burst (25)
          --seed S        same seed and start, same exchange (1)
          --clock-speed X exchange time passes X times as fast (1)
          --replay FILE   play a recording, one frame a line, .gz too
          --speed X       1 real pace, 2 twice as fast, 0 as fast as the client reads (1)
          --dialect NAME  fixed-point, cents, seed or seed-flat (fixed-point)
          --keys DIR      WebSockets must be signed by a key of this directory (off)
          --Section:Key V any other setting, which the environment takes as Section__Key

        MarketData.MockKalshi create-key [--keys DIR] [--out FILE]
          Creates a key pair for signed requests; see create-key --help.
        """;

    public static readonly Dictionary<string, string> Switches = new(StringComparer.OrdinalIgnoreCase)
    {
        ["--markets"] = "Simulation:Markets",
        ["--rate"] = "Simulation:Rate",
        ["--burst"] = "Simulation:Burst",
        ["--seed"] = "Simulation:Seed",
        ["--clock-speed"] = "Simulation:ClockSpeed",
        ["--replay"] = "Replay:File",
        ["--speed"] = "Replay:Speed",
        ["--dialect"] = "Protocol:Dialect",
        ["--keys"] = "Authentication:KeysDirectory",
    };

    private static readonly HashSet<string> HostSwitches =
        new(["--urls", "--environment", "--contentRoot", "--applicationName"], StringComparer.OrdinalIgnoreCase);

    /// <exception cref="StartupException">An argument is unknown or lacks its value.</exception>
    public static void Check(string[] args)
    {
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i].Split('=')[0];
            bool isSetting = name.StartsWith("--", StringComparison.Ordinal) && name.Contains(':');
            bool known = Switches.ContainsKey(name) || HostSwitches.Contains(name) || isSetting;
            if (!known) throw new StartupException($"Unknown argument {args[i]}. See --help.");
            if (name.Length != args[i].Length) continue;
            bool hasValue = ++i < args.Length && !args[i].StartsWith("--", StringComparison.Ordinal);
            if (!hasValue) throw new StartupException($"{name} needs a value. See --help.");
        }
    }
}
