namespace MarketData.Ingest.Bootstrap;

/// <summary>A part of a partition to read back.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Start">The first offset.</param>
/// <param name="End">The offset after the last.</param>
public readonly record struct LogSection(int Partition, long Start, long End)
{
    /// <summary>Records at most: offsets may have holes.</summary>
    public long Length => End - Start;
}
