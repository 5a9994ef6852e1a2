namespace MarketData.MockKalshi.Replay;

/// <summary>Which <c>seq</c> played frames carry.</summary>
internal enum ReplaySeq
{
    /// <summary>This connection's next number: no gaps.</summary>
    Renumbered,

    /// <summary>As it was recorded, with whatever gaps that has.</summary>
    Recorded,
}

/// <summary>Playing recorded sessions in place of the simulation, section <c>Replay</c>.</summary>
internal sealed class ReplayOptions
{
    public const string Section = "Replay";

    /// <summary>The most files that are played at once.</summary>
    public const int MaxFiles = 16;

    /// <summary>
    /// 1 to 16 files, separated by commas, of one frame a line, as text or gzip (<c>.gz</c>). Default none: the simulation runs.
    /// </summary>
    public string? File { get; set; }

    /// <summary>1 is real pace by the frames' own times, 2 twice as fast, 0 as fast as each client reads. Default 1.</summary>
    public double Speed { get; set; } = 1;

    /// <summary>After the last frame the first follows again. Default false: the connection stays open and quiet.</summary>
    public bool Loop { get; set; }

    /// <summary>Default renumbered.</summary>
    public ReplaySeq Seq { get; set; }

    /// <summary>Every recorded market is played so many times, as TICKER-001 and so on; 1 leaves the tickers as they are. Default 1.</summary>
    public int Multiply { get; set; } = 1;

    public IReadOnlyList<string> Files => (File ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
