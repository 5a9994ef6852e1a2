using System.IO.Compression;
using System.Text;
using MarketData.Domain.Frames;

namespace MarketData.Benchmarks;

/// <summary>Frames to measure with: recorded ones, or the mock exchange's own where no recording is at hand.</summary>
internal static class FrameSource
{
    private const int SimulatedMarkets = 10_000, SimulatedFrames = 200_000;

    /// <summary>The frames of recordings, one a line, <c>.gz</c> too; without any, of a simulated session.</summary>
    /// <returns>The frames that carry public content, and where they are from.</returns>
    public static async Task<(byte[][] Frames, string Origin)> LoadAsync(string[] recordings)
    {
        var frames = recordings.Length > 0 ? recordings.SelectMany(Read).ToList() : await SimulateAsync();
        string origin = recordings.Length > 0 ? $"recorded, {string.Join(", ", recordings.Select(Path.GetFileName))}" : $"of the mock exchange with {SimulatedMarkets:N0} markets; name recordings to use those";
        return ([.. frames.Where(IsPublic)], origin);
    }

    private static IEnumerable<byte[]> Read(string path)
    {
        using Stream stored = File.OpenRead(path);
        using var text = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(stored, CompressionMode.Decompress) : stored;
        using var lines = new StreamReader(text, Encoding.UTF8);
        while (lines.ReadLine() is { } line) yield return Encoding.UTF8.GetBytes(line);
    }

    private static async Task<List<byte[]>> SimulateAsync()
    {
        await using var exchange = await MockExchange.StartAsync("--markets", $"{SimulatedMarkets}", "--rate", "20000");
        var address = new Uri(exchange.Address);
        using var client = await ExchangeClient.SubscribeAsync(address, await ExchangeClient.ListMarketsAsync(address));
        var frames = new List<byte[]>();
        while (frames.Count < SimulatedFrames && await client.ReceiveAsync() is { } frame) frames.Add(frame.ToArray());
        return frames;
    }

    private static bool IsPublic(byte[] bytes) =>
        ExchangeFrame.TryParse(bytes, out var frame, out _)
        && frame.Type is FrameType.OrderbookSnapshot or FrameType.OrderbookDelta or FrameType.Ticker or FrameType.Trade or FrameType.Lifecycle;
}
