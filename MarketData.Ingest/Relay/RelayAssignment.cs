using Confluent.Kafka;

namespace MarketData.Ingest.Relay;

/// <summary>
/// Takes note of the partitions that the group gives and takes away. The consumer calls back inside the relay's own poll, so this needs
/// no lock.
/// </summary>
public sealed class RelayAssignment
{
    private readonly HashSet<int> _assigned = [];
    private readonly List<int> _revoked = [];

    /// <summary>The partitions that this relay has now.</summary>
    public IReadOnlySet<int> Assigned => _assigned;

    public void Attach(ConsumerBuilder<Ignore, byte[]> builder) =>
        builder
            .SetPartitionsAssignedHandler((_, partitions) => _assigned.UnionWith(partitions.Select(partition => partition.Partition.Value)))
            .SetPartitionsRevokedHandler((_, partitions) => Revoke(partitions))
            .SetPartitionsLostHandler((_, partitions) => Revoke(partitions));

    /// <summary>The partitions revoked since the last call; one of them may be assigned again already.</summary>
    public IReadOnlyList<int> TakeRevoked()
    {
        if (_revoked.Count == 0) return [];
        var revoked = _revoked.ToArray();
        _revoked.Clear();
        return revoked;
    }

    private void Revoke(List<TopicPartitionOffset> partitions)
    {
        foreach (var partition in partitions)
        {
            _assigned.Remove(partition.Partition);
            _revoked.Add(partition.Partition);
        }
    }
}
