using System.Globalization;
using System.Text;
using Confluent.Kafka;
using MarketData.Ingest.Pipeline;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Relay;

/// <summary>
/// Reads the log again where the books in Redis are not those of the offsets that the group has committed. A mark in Redis says for
/// each partition up to which offset its keys hold the books, and the highest term until there: a Redis that lost its data has lost the mark, and one that came back with
/// older data has an older mark. Not thread-safe.
/// </summary>
public sealed partial class RelayRecovery(
    IConsumer<Ignore, byte[]> consumer, RelayOffsets offsets, RelayFences fences, IOptions<KafkaOptions> kafka, ILogger<RelayRecovery> logger)
{
    private static readonly TimeSpan CommittedTimeout = TimeSpan.FromSeconds(5);
    private readonly HashSet<int> _checked = [];

    /// <summary>Looks at the mark of each partition that has not been looked at yet.</summary>
    /// <param name="redis">The connection.</param>
    /// <param name="assigned">The relay's partitions.</param>
    /// <param name="batch">Messages about to be published; those that are read again now are taken out.</param>
    /// <exception cref="KafkaException">Kafka did not say what the group has committed.</exception>
    public void Check(RelayConnection redis, IReadOnlySet<int> assigned, RelayBatch batch)
    {
        if (_checked.Count == assigned.Count) return;
        foreach (int partition in assigned.Except(_checked).ToList())
        {
            if (TryCheck(redis, partition, batch)) _checked.Add(partition);
        }
    }

    /// <summary>Redis may have changed, so every partition is looked at again.</summary>
    public void Restart() => _checked.Clear();

    public void Forget(int partition) => _checked.Remove(partition);

    /// <summary>
    /// Reads a partition from its start, for a book that has no base in Redis, unless all of it was read before: then the book waits for
    /// the exchange's next snapshot.
    /// </summary>
    public void ReadFromStart(int partition)
    {
        if (offsets.IsWhole(partition) || offsets.Next(partition) is not { } next || !TrySeek(partition, Offset.Beginning)) return;
        fences.Restart(partition, 0);
        offsets.MarkWhole(partition);
        offsets.ReadAgain(partition, next);
        LogNoBase(partition);
    }

    /// <summary>Notes in Redis that its keys hold the books up to these offsets.</summary>
    public void Mark(RelayConnection redis, IEnumerable<PartitionOffset> held)
    {
        foreach (var (partition, offset) in held)
            redis.Set(MarkKey(partition), Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{offset} {fences.Of(partition)}")));
    }

    // False when the partition's consumption has not begun yet, so that nothing of it can be in the batch.
    private bool TryCheck(RelayConnection redis, int partition, RelayBatch batch)
    {
        if (offsets.IsWhole(partition)) return true;
        long committed = offsets.Committed(partition) ?? CommittedByGroup(partition);
        if (committed <= 0)
        {
            offsets.MarkWhole(partition);
            return true;
        }

        var (mark, term) = ReadMark(redis.Get(MarkKey(partition)));
        if (mark >= committed)
        {
            fences.Restart(partition, Math.Max(term, fences.Of(partition)));
            return true;
        }

        if (!TrySeek(partition, mark ?? Offset.Beginning)) return false;
        fences.Restart(partition, term);
        if (mark == null) offsets.MarkWhole(partition);
        offsets.ReadAgain(partition, offsets.Next(partition) ?? committed);
        batch.Remove(partition);
        LogBehind(partition, mark, committed);
        return true;
    }

    private long CommittedByGroup(int partition) => consumer.Committed([new TopicPartition(kafka.Value.Topic, partition)], CommittedTimeout)[0].Offset;

    private bool TrySeek(int partition, Offset offset)
    {
        try
        {
            consumer.Seek(new TopicPartitionOffset(kafka.Value.Topic, partition, offset));
            return true;
        }
        catch (KafkaException exception) when (exception.Error.Code == ErrorCode.Local_State)
        {
            return false;
        }
    }

    // The offset, then the term; a mark of an older version has no term.
    private static (long? Offset, long Term) ReadMark(byte[]? mark)
    {
        var parts = Encoding.UTF8.GetString(mark ?? []).Split(' ');
        if (!long.TryParse(parts[0], CultureInfo.InvariantCulture, out long offset)) return (null, 0);
        return (offset, parts.Length > 1 && long.TryParse(parts[1], CultureInfo.InvariantCulture, out long term) ? term : 0);
    }

    private static byte[] MarkKey(int partition) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"market-data:relay:{partition}"));

    [LoggerMessage(43, LogLevel.Warning, "A book of partition {Partition} has no base in Redis; reading the partition again from its start.")]
    private partial void LogNoBase(int partition);

    [LoggerMessage(45, LogLevel.Warning, "Redis holds the books of partition {Partition} up to offset {Mark}, committed is {Committed}; reading what is missing again.")]
    private partial void LogBehind(int partition, long? mark, long committed);
}
