using System.Collections.Frozen;
using System.Globalization;

namespace MarketData.LocalKafka.Log;

/// <summary>A topic setting that this broker honours, or accepts because it changes nothing on one node.</summary>
/// <param name="Name">Kafka's name for it.</param>
/// <param name="Default">Kafka's default.</param>
/// <param name="Check">What is wrong with a value, or null.</param>
internal sealed record TopicSetting(string Name, string Default, Func<string, string?> Check);

/// <summary>
/// The settings of one topic: those given for it, else the broker's defaults, else Kafka's. Immutable; a change makes a new value.
/// </summary>
internal sealed class TopicSettings
{
    /// <summary>Every setting known, by Kafka's name.</summary>
    public static readonly FrozenDictionary<string, TopicSetting> Known = new[]
    {
        new TopicSetting("cleanup.policy", "delete", value => value == "delete" ? null
            : $"Value {value} is refused: this broker deletes old segments and does not compact; use cleanup.policy=delete."),
        new TopicSetting("compression.type", "producer", OneOf("producer")),
        new TopicSetting("index.interval.bytes", "4096", Number(0, int.MaxValue)),
        new TopicSetting("max.message.bytes", "1048588", Number(0, int.MaxValue)),
        new TopicSetting("message.timestamp.type", "CreateTime", OneOf("CreateTime", "LogAppendTime")),
        new TopicSetting("min.insync.replicas", "1", OneOf("1")),
        new TopicSetting("retention.bytes", "-1", Number(-1, long.MaxValue)),
        new TopicSetting("retention.ms", "604800000", Number(-1, long.MaxValue)),
        new TopicSetting("segment.bytes", "1073741824", Number(14, int.MaxValue)),
        new TopicSetting("segment.ms", "604800000", Number(1, long.MaxValue)),
        new TopicSetting("unclean.leader.election.enable", "false", OneOf("false", "true")),
    }.ToFrozenDictionary(setting => setting.Name);

    private readonly IReadOnlyDictionary<string, string> _brokerDefaults;

    /// <param name="given">Settings of this topic alone; checked with <see cref="Check"/> before.</param>
    /// <param name="brokerDefaults">What the broker's command line sets for all topics.</param>
    public TopicSettings(IReadOnlyDictionary<string, string> given, IReadOnlyDictionary<string, string> brokerDefaults)
    {
        Given = given;
        _brokerDefaults = brokerDefaults;
        IndexIntervalBytes = (int)Long("index.interval.bytes");
        MaxMessageBytes = (int)Long("max.message.bytes");
        RetentionBytes = Long("retention.bytes");
        RetentionMs = Long("retention.ms");
        SegmentBytes = (int)Long("segment.bytes");
        SegmentMs = Long("segment.ms");
        UsesLogAppendTime = this["message.timestamp.type"] == "LogAppendTime";
    }

    public IReadOnlyDictionary<string, string> Given { get; }

    /// <summary>Bytes of log between two entries of the offset index.</summary>
    public int IndexIntervalBytes { get; }

    /// <summary>Largest batch accepted, in bytes, header included.</summary>
    public int MaxMessageBytes { get; }

    /// <summary>Bytes of a partition kept at least; -1: no limit by size.</summary>
    public long RetentionBytes { get; }

    /// <summary>Milliseconds a segment is kept after its newest record; -1: no limit by time.</summary>
    public long RetentionMs { get; }

    public int SegmentBytes { get; }

    /// <summary>Milliseconds after which a segment is closed even when it is not full.</summary>
    public long SegmentMs { get; }

    public bool UsesLogAppendTime { get; }

    /// <summary>The value in force, as text.</summary>
    public string this[string name] =>
        Given.TryGetValue(name, out var own) ? own : _brokerDefaults.TryGetValue(name, out var common) ? common : Known[name].Default;

    /// <summary>What the broker sets for all topics, or null.</summary>
    public string? BrokerDefault(string name) => _brokerDefaults.GetValueOrDefault(name);

    public TopicSettings With(IReadOnlyDictionary<string, string> given) => new(given, _brokerDefaults);

    /// <summary>What is wrong with a setting, in words for the client, or null.</summary>
    public static string? Check(string name, string? value)
    {
        if (!Known.TryGetValue(name, out var setting)) return $"Unknown topic config name: {name}.";
        if (value is null) return $"Null value not supported for topic config {name}.";
        return setting.Check(value) is { } problem ? $"Invalid value {value} for configuration {name}: {problem}" : null;
    }

    private long Long(string name) => long.Parse(this[name], CultureInfo.InvariantCulture);

    private static Func<string, string?> Number(long min, long max) => value =>
        long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? null
            : $"Value must be a whole number from {min} to {max}.";

    private static Func<string, string?> OneOf(params string[] allowed) => value =>
        allowed.Contains(value) ? null : $"Value must be {string.Join(" or ", allowed)}.";
}
