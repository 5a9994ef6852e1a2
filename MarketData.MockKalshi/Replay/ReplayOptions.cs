namespace MarketData.MockKalshi.Replay;

/// <summary>Playing a recorded session in place of the simulation, section <c>Replay</c>.</summary>
internal sealed class ReplayOptions
{
    public const string Section = "Replay";

    /// <summary>A file of one frame a line, as text or gzip (<c>.gz</c>). Default none: the simulation runs.</summary>
    public string? File { get; set; }

    /// <summary>1 is real pace by the frames' own times, 2 twice as fast, 0 as fast as each client reads. Default 1.</summary>
    public double Speed { get; set; } = 1;
}
