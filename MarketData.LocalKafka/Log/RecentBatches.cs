namespace MarketData.LocalKafka.Log;

/// <summary>
/// Where the latest batches of a partition stand, so that a consumer at the tail is answered without a look at the index or the file.
/// Not thread-safe: the partition's lock guards it.
/// </summary>
internal sealed class RecentBatches
{
    private const int Kept = 64;
    private readonly Place[] _places = new Place[Kept];
    private long _count;

    private readonly record struct Place(LogSegment? Segment, long BaseOffset, long NextOffset, long Position);

    public void Add(LogSegment segment, long baseOffset, long nextOffset, long position) =>
        _places[_count++ % Kept] = new Place(segment, baseOffset, nextOffset, position);

    /// <summary>The batch that contains an offset, when it is among the latest.</summary>
    public (LogSegment Segment, long Position)? Find(long offset)
    {
        for (var i = _count - 1; i >= Math.Max(0, _count - Kept); i--)
        {
            ref readonly var place = ref _places[i % Kept];
            if (offset >= place.NextOffset) return null;
            if (offset >= place.BaseOffset) return (place.Segment!, place.Position);
        }
        return null;
    }
}
