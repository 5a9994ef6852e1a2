using System.ComponentModel.DataAnnotations;

namespace MarketData.MockKalshi.Replay;

/// <summary>Playing a recorded session in place of the simulation, section <c>Replay</c>.</summary>
internal sealed class ReplayOptions : IValidatableObject
{
    public const string Section = "Replay";

    /// <summary>A file of one frame a line, as text or gzip (<c>.gz</c>). Default none: the simulation runs.</summary>
    public string? File { get; set; }

    /// <summary>1 is real pace by the frames' own times, 2 twice as fast, 0 as fast as each client reads. Default 1.</summary>
    public double Speed { get; set; } = 1;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!double.IsFinite(Speed) || Speed is < 0 or > 1_000_000)
            yield return new ValidationResult("Replay:Speed (--speed) must be between 0 (unpaced) and 1,000,000.", [nameof(Speed)]);
        if (!string.IsNullOrEmpty(File) && !System.IO.File.Exists(File))
            yield return new ValidationResult($"Replay:File (--replay) names '{File}', which does not exist.", [nameof(File)]);
    }
}
