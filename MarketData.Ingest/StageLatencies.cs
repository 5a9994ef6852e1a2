using System.Diagnostics.Metrics;
using MarketData.ServiceDefaults.Metrics;

namespace MarketData.Ingest;

/// <summary>How far a frame has come on its way.</summary>
public enum Stage : byte
{
    /// <summary>Parsed, judged, numbered, wrapped and handed to the producer.</summary>
    Produced,

    /// <summary>Acknowledged by Kafka.</summary>
    Acknowledged,

    /// <summary>Acknowledged by Redis.</summary>
    Relayed,
}

/// <summary>
/// Time from a frame's receipt to each stage, as percentiles for <c>/stats</c> and as the instrument <c>ingest.stage.duration</c>. Thread-safe.
/// </summary>
public sealed class StageLatencies : IDisposable
{
    private static readonly Stage[] Stages = Enum.GetValues<Stage>();
    private readonly Meter _meter;
    private readonly Histogram<double> _durations;
    private readonly LatencyHistogram[] _stages = [.. Stages.Select(_ => new LatencyHistogram())];
    private readonly KeyValuePair<string, object?>[] _tags = [.. Stages.Select(stage => new KeyValuePair<string, object?>("stage", Name(stage)))];

    public StageLatencies(IMeterFactory meters, IHostEnvironment environment)
    {
        _meter = meters.Create(environment.ApplicationName);
        _durations = _meter.CreateHistogram<double>("ingest.stage.duration", "s", "From the receipt of a frame to the stage.");
    }

    public void Record(Stage stage, TimeSpan duration)
    {
        _stages[(int)stage].Record(duration);
        _durations.Record(duration.TotalSeconds, _tags[(int)stage]);
    }

    /// <summary>Milliseconds since the service's start, for each stage that was reached.</summary>
    public IReadOnlyDictionary<string, LatencyReport> Report() => Stages
        .Select(stage => (Name: Name(stage), Histogram: _stages[(int)stage]))
        .Where(stage => stage.Histogram.Count > 0)
        .ToDictionary(stage => stage.Name, stage => stage.Histogram.Report());

    public void Dispose() => _meter.Dispose();

    private static string Name(Stage stage) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(stage.ToString());
}
