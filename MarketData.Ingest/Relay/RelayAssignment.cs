using Confluent.Kafka;

namespace MarketData.Ingest.Relay;

/// <summary>
/// Takes note of the partitions that the group takes away. The consumer calls back inside the relay's own poll, so this needs no lock.
/// </summary>
public sealed class RelayAssignment
{
    private readonly List<int> _revoked = [];

    public void Attach(ConsumerBuilder<Ignore, byte[]> builder) =>
        builder.SetPartitionsRevokedHandler((_, partitions) => Revoke(partitions)).SetPartitionsLostHandler((_, partitions) => Revoke(partitions));

    /// <summary>The partitions revoked since the last call.</summary>
    public IReadOnlyList<int> TakeRevoked()
    {
        if (_revoked.Count == 0) return [];
        var revoked = _revoked.ToArray();
        _revoked.Clear();
        return revoked;
    }

    private void Revoke(IEnumerable<TopicPartitionOffset> partitions) => _revoked.AddRange(partitions.Select(partition => partition.Partition.Value));
}
