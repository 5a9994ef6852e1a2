using System.IO.Compression;
using System.Text;
using MarketData.Domain.Frames;

namespace MarketData.Benchmarks;

/// <summary>Frames to measure with: recorded ones, or the mock exchange's own where no recording is at hand.</summary>
internal static class FrameSource
{
    private const int SimulatedFrames = 200_000;

    /// <summary>The frames of recordings, one a line, <c>.gz</c> too; without any, of a simulated session.</summary>
    /// <param name="recordings">Files; may be empty.</param>
    /// <param name="simulatedMarkets">Markets of the simulated session.</param>
    /// <returns>The frames that carry public content, and where they are from.</returns>
    /// <exception cref="InvalidDataException">The recordings have no such frames.</exception>
    public static async Task<(byte[][] Frames, string Origin)> LoadAsync(string[] recordings, int simulatedMarkets)
    {
        var frames = recordings.Length > 0 ? recordings.SelectMany(Read) : await SimulateAsync(simulatedMarkets);
        byte[][] chosen = [.. frames.Where(IsPublic)];
        if (chosen.Length == 0) throw new InvalidDataException($"There are no market data frames in {string.Join(", ", recordings)}.");
        string origin = recordings.Length > 0
            ? $"recorded frames ({string.Join(", ", recordings.Select(Path.GetFileName))})"
            : $"frames of a simulated exchange with {simulatedMarkets:N0} markets (name recordings to use theirs)";
        return (chosen, $"{chosen.Length:N0} {origin}");
    }

    private static IEnumerable<byte[]> Read(string path)
    {
        using Stream stored = File.OpenRead(path);
        using var text = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(stored, CompressionMode.Decompress) : stored;
        using var lines = new StreamReader(text, Encoding.UTF8);
        while (lines.ReadLine() is { } line) yield return Encoding.UTF8.GetBytes(line);
    }

    private static async Task<List<byte[]>> SimulateAsync(int markets)
    {
        await using var exchange = await MockExchange.StartAsync("--markets", $"{markets}", "--rate", "20000");
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
