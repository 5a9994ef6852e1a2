using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Log;

/// <summary>Every topic there is. Looking one up takes no lock; changes are made one at a time, on disk first.</summary>
internal sealed partial class TopicRegistry : IDisposable
{
    /// <summary>More than any use on one machine needs; each open partition holds a file.</summary>
    public const int MaxPartitions = 1000;

    private const int MaxTotalPartitions = 10_000;

    private readonly ConcurrentDictionary<string, Topic> _topics = new(StringComparer.Ordinal);

    /// <summary>Guards the making, changing and deleting of topics.</summary>
    private readonly Lock _lock = new();
    private readonly DataDirectory _data;
    private readonly BrokerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<TopicRegistry> _logger;

    private sealed record TopicFile(int Partitions, Dictionary<string, string> Settings);

    /// <summary>Opens every topic in the data directory and makes those the options name.</summary>
    public TopicRegistry(DataDirectory data, BrokerOptions options, TimeProvider time, ILogger<TopicRegistry> logger)
    {
        (_data, _options, _time, _logger) = (data, options, time, logger);
        foreach (var leftover in Directory.GetDirectories(data.DeletedPath)) Directory.Delete(leftover, recursive: true);
        foreach (var directory in Directory.GetDirectories(data.TopicsPath))
        {
            if (ReadTopicFile(directory) is not { } file) continue;
            var name = Path.GetFileName(directory);
            _topics[name] = Open(name, file);
        }
        foreach (var (name, partitions) in options.Topics)
            if (!_topics.ContainsKey(name)) Create(name, partitions, new Dictionary<string, string>());
    }

    /// <summary>In no particular order.</summary>
    public IEnumerable<Topic> All => _topics.Values;

    /// <summary>Whether a name is one that Kafka allows.</summary>
    public static bool IsLegalName(string name) => name is not ("." or "..") && LegalName.IsMatch(name);

    public Topic? Find(string name) => _topics.GetValueOrDefault(name);

    public PartitionLog? FindPartition(string topic, int partition) => Find(topic)?.Partition(partition);

    /// <summary>A topic with the same name but for '.' and '_', which Kafka does not let stand beside each other: metrics could not tell them apart.</summary>
    public string? FindColliding(string name) =>
        name.AsSpan().ContainsAny('.', '_') ? _topics.Keys.FirstOrDefault(other => other != name && other.Replace('.', '_') == name.Replace('.', '_')) : null;

    /// <summary>A topic that a client asks for, made when that is allowed.</summary>
    public (ErrorCode Error, Topic? Topic) FindOrCreate(string name, bool allowCreate)
    {
        if (Find(name) is { } topic) return (ErrorCode.None, topic);
        if (!allowCreate || !_options.AutoCreateTopics) return (ErrorCode.UnknownTopicOrPartition, null);
        if (!IsLegalName(name) || FindColliding(name) is not null) return (ErrorCode.InvalidTopic, null);
        var error = Create(name, _options.DefaultPartitions, new Dictionary<string, string>());
        return error is ErrorCode.None or ErrorCode.TopicAlreadyExists ? (ErrorCode.None, Find(name)) : (error, null);
    }

    /// <summary>Makes a topic whose name and settings have been checked.</summary>
    public ErrorCode Create(string name, int partitions, IReadOnlyDictionary<string, string> settings)
    {
        lock (_lock)
        {
            if (_topics.ContainsKey(name)) return ErrorCode.TopicAlreadyExists;
            if (!HasRoomFor(partitions)) return ErrorCode.InvalidPartitions;
            var file = new TopicFile(partitions, new Dictionary<string, string>(settings));
            Save(name, file);
            _topics[name] = Open(name, file);
        }
        LogCreated(_logger, name, partitions);
        return ErrorCode.None;
    }

    /// <summary>Whether so many partitions more can be made.</summary>
    public bool HasRoomFor(int partitions) => partitions <= MaxPartitions && _topics.Values.Sum(topic => topic.Partitions.Count) + partitions <= MaxTotalPartitions;

    /// <summary>Adds partitions to a topic.</summary>
    public void AddPartitions(Topic topic, int count)
    {
        lock (_lock)
        {
            if (!_topics.TryGetValue(topic.Name, out var current) || current.Partitions.Count >= count) return;
            var file = new TopicFile(count, new Dictionary<string, string>(current.Settings.Given));
            Save(topic.Name, file);
            var added = Enumerable.Range(current.Partitions.Count, count - current.Partitions.Count).Select(index => OpenPartition(topic.Name, index, current.Settings));
            _topics[topic.Name] = current with { Partitions = [.. current.Partitions, .. added] };
        }
    }

    /// <summary>Replaces the settings that a topic was given; they have been checked.</summary>
    public void ChangeSettings(Topic topic, IReadOnlyDictionary<string, string> given)
    {
        lock (_lock)
        {
            if (!_topics.TryGetValue(topic.Name, out var current)) return;
            Save(topic.Name, new TopicFile(current.Partitions.Count, new Dictionary<string, string>(given)));
            var settings = current.Settings.With(given);
            foreach (var partition in current.Partitions) partition.Settings = settings;
            _topics[topic.Name] = current with { Settings = settings };
        }
    }

    /// <summary>Removes a topic and its files.</summary>
    /// <returns>False when there is no such topic.</returns>
    public bool Delete(string name)
    {
        lock (_lock)
        {
            if (!_topics.TryRemove(name, out var topic)) return false;
            foreach (var partition in topic.Partitions) partition.MarkDeleted();
            var grave = Path.Combine(_data.DeletedPath, Guid.NewGuid().ToString("N"));
            Directory.Move(DirectoryOf(name), grave);
            Directory.Delete(grave, recursive: true);
        }
        LogDeleted(_logger, name);
        return true;
    }

    public void Dispose()
    {
        foreach (var partition in _topics.Values.SelectMany(topic => topic.Partitions)) partition.Dispose();
    }

    private string DirectoryOf(string topic) => Path.Combine(_data.TopicsPath, topic);

    private static string FileOf(string directory) => Path.Combine(directory, "topic.json");

    private static TopicFile? ReadTopicFile(string directory)
    {
        // A directory without the file is a topic whose making never finished.
        var path = FileOf(directory);
        if (!File.Exists(path)) return null;
        try
        {
            return JsonSerializer.Deserialize<TopicFile>(File.ReadAllBytes(path));
        }
        catch (JsonException e)
        {
            throw new BrokerStartException($"{path} is damaged: {e.Message} Put back what it said, or remove its directory to give the topic up.", e);
        }
    }

    private void Save(string name, TopicFile file)
    {
        var directory = DirectoryOf(name);
        Directory.CreateDirectory(directory);
        AtomicFile.Write(FileOf(directory), JsonSerializer.SerializeToUtf8Bytes(file));
    }

    private Topic Open(string name, TopicFile file)
    {
        var settings = new TopicSettings(file.Settings, _options.TopicDefaults);
        return new Topic(name, settings, [.. ParallelEnumerable.Range(0, file.Partitions).AsOrdered().Select(index => OpenPartition(name, index, settings))]);
    }

    private PartitionLog OpenPartition(string topic, int index, TopicSettings settings) =>
        new(Path.Combine(DirectoryOf(topic), $"{index}"), $"{topic}-{index}", settings, _options.Flush, _time, _logger);

    [GeneratedRegex("^[a-zA-Z0-9._-]{1,249}$")]
    private static partial Regex LegalName { get; }

    [LoggerMessage(121, LogLevel.Information, "Created topic {Topic} with {Partitions} partitions")]
    private static partial void LogCreated(ILogger logger, string topic, int partitions);

    [LoggerMessage(122, LogLevel.Information, "Deleted topic {Topic}")]
    private static partial void LogDeleted(ILogger logger, string topic);
}
