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
          --replay FILE   play a recording, one frame a line, .gz too; several: a,b or the option again
          --speed X       1 real pace, 2 twice as fast, 0 as fast as the client reads (1)
          --loop          begin again after the last frame
          --seq MODE      numbers of played frames: renumbered, or recorded with their gaps (renumbered)
          --multiply N    each recorded market N times, as TICKER-001 and so on (1)
          --dialect NAME  fixed-point, cents, seed or seed-flat (fixed-point)
          --keys DIR      WebSockets and orders must be signed by a key of this directory (off)
          --fault F       something that goes wrong, e.g. 'skip:count=3,channel=trade'; may be given again
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
        ["--seq"] = "Replay:Seq",
        ["--multiply"] = "Replay:Multiply",
    };

    /// <summary>Arguments without a value, and the setting that each stands for.</summary>
    private static readonly Dictionary<string, string> Flags = new(StringComparer.OrdinalIgnoreCase) { ["--loop"] = "--Replay:Loop=true" };

    private static readonly HashSet<string> HostSwitches =
        new(["--urls", "--environment", "--contentRoot", "--applicationName"], StringComparer.OrdinalIgnoreCase);

    /// <exception cref="StartupException">An argument is unknown or lacks its value.</exception>
    public static void Check(string[] args)
    {
        for (int i = 0; i < args.Length; i++)
        {
            if (Flags.ContainsKey(args[i])) continue;
            string name = args[i].Split('=')[0];
            bool isSetting = name.StartsWith("--", StringComparison.Ordinal) && name.Contains(':');
            bool known = Switches.ContainsKey(name) || HostSwitches.Contains(name) || Is(name, "--fault") || isSetting;
            if (!known) throw new StartupException($"Unknown argument {args[i]}. See --help.");
            if (name.Length != args[i].Length) continue;
            bool hasValue = ++i < args.Length && !args[i].StartsWith("--", StringComparison.Ordinal);
            if (!hasValue) throw new StartupException($"{name} needs a value. See --help.");
        }
    }

    /// <summary>
    /// Checked arguments as the configuration takes them, which knows neither flags nor an argument given twice: faults are numbered,
    /// recordings become one list.
    /// </summary>
    public static string[] Normalize(string[] args)
    {
        var normal = new List<string>();
        var recordings = new List<string>();
        int faults = 0;
        for (int i = 0; i < args.Length; i++)
        {
            if (Flags.TryGetValue(args[i], out string? setting))
            {
                normal.Add(setting);
                continue;
            }

            string[] parts = args[i].Split('=', 2);
            string value = parts.Length == 2 ? parts[1] : args[++i];
            if (Is(parts[0], "--fault")) normal.Add($"--Faults:{faults++}={value}");
            else if (Is(parts[0], "--replay")) recordings.Add(value);
            else normal.Add($"{parts[0]}={value}");
        }

        if (recordings.Count > 0) normal.Add($"--replay={string.Join(',', recordings)}");
        return [.. normal];
    }

    private static bool Is(string name, string argument) => string.Equals(name, argument, StringComparison.OrdinalIgnoreCase);
}
