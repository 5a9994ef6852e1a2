using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Groups;

/// <summary>One offset to commit.</summary>
internal readonly record struct OffsetToCommit(string Topic, int Partition, long Offset, int LeaderEpoch, string Metadata);

/// <summary>Commits and forgets offsets for groups, by the rules of membership. Thread-safe.</summary>
internal sealed partial class GroupOffsets : IDisposable
{
    /// <summary>Kafka's <c>offset.metadata.max.bytes</c>.</summary>
    private const int MaxMetadataBytes = 4096;

    /// <summary>Guards the store. Taken alone, never while the coordinator's lock is held.</summary>
    private readonly Lock _lock = new();
    private readonly CommittedOffsets _committed;
    private readonly GroupCoordinator _coordinator;
    private readonly TopicRegistry _topics;
    private readonly TimeProvider _time;
    private readonly ILogger<GroupOffsets> _logger;

    public GroupOffsets(DataDirectory data, BrokerOptions options, GroupCoordinator coordinator, TopicRegistry topics, TimeProvider time, ILogger<GroupOffsets> logger)
    {
        (_coordinator, _topics, _time, _logger) = (coordinator, topics, time, logger);
        _committed = new CommittedOffsets(data.OffsetsPath, options.Flush, logger);
    }

    /// <summary>Commits the offsets of one request.</summary>
    /// <param name="group">The group's id.</param>
    /// <param name="offsets">What to commit.</param>
    /// <param name="refused">Why the client may commit nothing, if so; partitions that do not exist are told first.</param>
    /// <returns>An error for each offset, in order.</returns>
    public ErrorCode[] Commit(string group, IReadOnlyList<OffsetToCommit> offsets, ErrorCode refused = ErrorCode.None)
    {
        var errors = new ErrorCode[offsets.Count];
        var nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        lock (_lock)
        {
            for (var i = 0; i < errors.Length; i++)
            {
                var offset = offsets[i];
                if (_topics.FindPartition(offset.Topic, offset.Partition) is null) errors[i] = ErrorCode.UnknownTopicOrPartition;
                else if (refused != ErrorCode.None) errors[i] = refused;
                else if (offset.Metadata.Length > MaxMetadataBytes) errors[i] = ErrorCode.OffsetMetadataTooLarge;
                else _committed.Commit(group, offset.Topic, offset.Partition, new CommittedOffset(offset.Offset, offset.LeaderEpoch, offset.Metadata, nowMs));
            }
            if (!TrySave())
                for (var i = 0; i < errors.Length; i++)
                    if (errors[i] == ErrorCode.None) errors[i] = ErrorCode.KafkaStorageError;
        }
        return errors;
    }

    /// <summary>Whether a group has committed anything.</summary>
    public bool HasGroup(string group)
    {
        lock (_lock) return _committed.HasGroup(group);
    }

    public CommittedOffset? Find(string group, string topic, int partition)
    {
        lock (_lock) return _committed.Find(group, topic, partition);
    }

    public IReadOnlyList<KeyValuePair<(string Topic, int Partition), CommittedOffset>> OfGroup(string group)
    {
        lock (_lock) return _committed.OfGroup(group);
    }

    /// <summary>Every group that has members or committed offsets, with its protocol type.</summary>
    public IReadOnlyDictionary<string, string> ListGroups()
    {
        var groups = new Dictionary<string, string>(_coordinator.List(), StringComparer.Ordinal);
        lock (_lock)
            foreach (var group in _committed.Groups) groups.TryAdd(group, "");
        return groups;
    }

    public ErrorCode DeleteGroup(string group)
    {
        var (wasKnown, hasMembers) = _coordinator.TryDelete(group);
        if (hasMembers) return ErrorCode.NonEmptyGroup;
        lock (_lock)
        {
            if (!wasKnown && !_committed.HasGroup(group)) return ErrorCode.GroupIdNotFound;
            foreach (var ((topic, partition), _) in _committed.OfGroup(group)) _committed.Remove(group, topic, partition);
            return TrySave() ? ErrorCode.None : ErrorCode.KafkaStorageError;
        }
    }

    /// <summary>Forgets what was committed on a topic that is gone.</summary>
    public void ForgetTopic(string topic)
    {
        lock (_lock)
        {
            foreach (var group in _committed.Groups.ToArray())
                foreach (var ((name, partition), _) in _committed.OfGroup(group))
                    if (name == topic) _committed.Remove(group, name, partition);
            TrySave();
        }
    }

    /// <summary>Forgets offsets of groups without members that are older than the retention, and groups that have neither.</summary>
    public void Expire(TimeSpan retention)
    {
        var oldestMs = (_time.GetUtcNow() - retention).ToUnixTimeMilliseconds();
        string[] groups;
        lock (_lock) groups = [.. _committed.Groups];
        foreach (var group in groups)
        {
            var emptySinceMs = _coordinator.Inspect(group, known => known is null ? long.MinValue : known.State == GroupState.Empty ? known.EmptySinceMs : long.MaxValue);
            lock (_lock)
            {
                foreach (var ((topic, partition), offset) in _committed.OfGroup(group))
                    if (Math.Max(emptySinceMs, offset.CommittedMs) < oldestMs) _committed.Remove(group, topic, partition);
                TrySave();
            }
        }
        HashSet<string> withOffsets;
        lock (_lock) withOffsets = [.. _committed.Groups];
        _coordinator.ForgetEmptyGroups(withOffsets);
    }

    public void Dispose()
    {
        lock (_lock) _committed.Dispose();
    }

    private bool TrySave()
    {
        try
        {
            _committed.Save();
            return true;
        }
        catch (IOException e)
        {
            LogSaveFailed(_logger, e);
            return false;
        }
    }

    [LoggerMessage(211, LogLevel.Error, "Committed offsets could not be written; the commit is refused")]
    private static partial void LogSaveFailed(ILogger logger, Exception e);
}
