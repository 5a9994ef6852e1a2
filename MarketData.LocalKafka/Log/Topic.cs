namespace MarketData.LocalKafka.Log;

/// <summary>A topic: its settings and the logs of its partitions. Immutable but for what the logs hold; a change makes a new value.</summary>
internal sealed record Topic(string Name, TopicSettings Settings, IReadOnlyList<PartitionLog> Partitions)
{
    /// <summary>The log of a partition, or null when the topic has no such one.</summary>
    public PartitionLog? Partition(int index) => index >= 0 && index < Partitions.Count ? Partitions[index] : null;
}
