using MarketData.Domain.Envelopes;

namespace MarketData.Ingest.Relay;

/// <summary>One envelope read from Kafka.</summary>
/// <param name="Partition">Where it lies.</param>
/// <param name="Value">The envelope's bytes.</param>
/// <param name="Envelope">The envelope's fields.</param>
/// <param name="Publish">False when it was published before and is read again for the books only, or is the mark of a new leader.</param>
public readonly record struct RelayedMessage(int Partition, byte[] Value, Envelope Envelope, bool Publish);

/// <summary>What was read from the log and is not acknowledged by Redis yet, in the order of reading.</summary>
public sealed class RelayBatch
{
    private readonly List<RelayedMessage> _messages = [];
    private readonly Dictionary<int, long> _ends = [];

    public IReadOnlyList<RelayedMessage> Messages => _messages;

    /// <summary>The last offset read of each partition, also of records that hold no message.</summary>
    public IEnumerable<PartitionOffset> Ends => _ends.Select(end => new PartitionOffset(end.Key, end.Value));

    public bool IsEmpty => _ends.Count == 0;

    public void Add(long offset, in RelayedMessage message)
    {
        _messages.Add(message);
        _ends[message.Partition] = offset;
    }

    /// <summary>Takes note of a record that holds no message.</summary>
    public void Skip(int partition, long offset) => _ends[partition] = offset;

    public void Remove(int partition)
    {
        if (_ends.Remove(partition)) _messages.RemoveAll(message => message.Partition == partition);
    }

    public void Clear()
    {
        _messages.Clear();
        _ends.Clear();
    }
}
