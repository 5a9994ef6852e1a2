using MarketData.LocalKafka.Log;
using MarketData.LocalKafka.Protocol;

namespace MarketData.LocalKafka.Api;

/// <summary>An answer: bytes, with regions of log files between them that never pass through this process's heap as a whole.</summary>
internal sealed class Response
{
    private readonly List<(int At, FileRegion Region)> _regions = [];

    public WireWriter Body { get; } = new();

    /// <summary>File regions, each with the number of body bytes that go before it.</summary>
    public IReadOnlyList<(int At, FileRegion Region)> Regions => _regions;

    /// <summary>Bytes of body and regions together.</summary>
    public long Length { get; private set; }

    public void Clear()
    {
        Body.Clear();
        _regions.Clear();
    }

    /// <summary>Puts a region's bytes at the end of what has been written so far.</summary>
    public void AddRegion(FileRegion region)
    {
        if (region.Length > 0) _regions.Add((Body.Length, region));
    }

    public void Complete()
    {
        Length = Body.Length;
        foreach (var (_, region) in _regions) Length += region.Length;
    }
}
