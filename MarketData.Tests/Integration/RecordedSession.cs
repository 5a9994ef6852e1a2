using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MarketData.Tests.Integration;

/// <summary>
/// A recorded session as the tests know it without any code of the product: its public frames in order, without snapshots that repeat the
/// book, and the book of each market at its end, computed with decimals.
/// </summary>
internal sealed class RecordedSession
{
    private static readonly HashSet<string> PublicTypes = ["orderbook_snapshot", "orderbook_delta", "trade", "ticker", "market_lifecycle_v2"];
    private static readonly HashSet<string> NumberedAnew = ["sid", "seq"];

    // Markets with a snapshot: the first one is news whatever it holds.
    private readonly HashSet<string> _snapped = [];

    private RecordedSession(string path, IEnumerable<string> lines)
    {
        Path = path;
        foreach (var line in lines)
        {
            using var frame = JsonDocument.Parse(line);
            var type = frame.RootElement.GetProperty("type").GetString()!;
            if (!PublicTypes.Contains(type)) continue;
            var msg = frame.RootElement.GetProperty("msg");
            var ticker = msg.GetProperty("market_ticker").GetString()!;
            if (!Books.TryGetValue(ticker, out var book)) Books[ticker] = book = new ClientBook();
            var before = book.ToString();
            book.Apply(type, msg);
            if (type == "orderbook_snapshot" && !_snapped.Add(ticker) && before == book.ToString()) continue;
            var stream = (ticker, StreamOf(type));
            if (!Frames.TryGetValue(stream, out var frames)) Frames[stream] = frames = [];
            frames.Add(WithoutNumbers(line));
            Count++;
        }
    }

    public string Path { get; }

    public int Count { get; }

    /// <summary>
    /// For each market and stream the frames in recorded order, without the numbers that the mock gives anew. The exchange promises no
    /// order between its subscriptions, so none between books and trades.
    /// </summary>
    public Dictionary<(string Ticker, string Stream), List<string>> Frames { get; } = [];

    public Dictionary<string, ClientBook> Books { get; } = [];

    /// <summary>The stream of a frame type or channel: snapshots and deltas share one.</summary>
    public static string StreamOf(string channel) => channel.StartsWith("orderbook", StringComparison.Ordinal) ? "orderbook" : channel;

    public static RecordedSession Open(string path)
    {
        using var file = File.OpenRead(path);
        using var reader = new StreamReader(path.EndsWith(".gz", StringComparison.Ordinal) ? new System.IO.Compression.GZipStream(file, System.IO.Compression.CompressionMode.Decompress) : file);
        return new RecordedSession(path, ReadLines(reader));
    }

    /// <summary>The recorded session of five markets, or a composed one of the same shape when the recordings are absent.</summary>
    public static RecordedSession FiveMarkets(string folder)
    {
        if (Recordings.TryFind(Recordings.FixedPointSession) is { } recorded) return Open(recorded);
        var path = System.IO.Path.Combine(folder, "composed.jsonl");
        File.WriteAllLines(path, Compose(markets: 5, deltas: 3000));
        return Open(path);
    }

    /// <summary>A frame's text without what a replay numbers anew, so that a replayed frame compares byte for byte.</summary>
    public static string WithoutNumbers(string frame)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(frame));
        var text = new StringBuilder(frame.TrimEnd());
        var cuts = new List<(int Start, int End)>();
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1 || !NumberedAnew.Contains(reader.GetString()!)) continue;
            reader.Read();
            cuts.Add(((int)reader.TokenStartIndex, (int)reader.BytesConsumed));
        }

        for (int i = cuts.Count - 1; i >= 0; i--) text.Remove(cuts[i].Start, cuts[i].End - cuts[i].Start);
        return text.ToString();
    }

    private static IEnumerable<string> ReadLines(StreamReader reader)
    {
        while (reader.ReadLine() is { } line) yield return line;
    }

    private static IEnumerable<string> Compose(int markets, int deltas)
    {
        var random = new Random(7);
        var sizes = new Dictionary<(int Market, string Side, int Cents), int>();
        long seq = 0, time = 1_782_873_105_000;
        string Ticker(int market) => $"KXCOMPOSED-26NOV22-T{market}";
        string Price(int cents) => $"0.{cents:00}00";
        string Count(int hundredths) => (hundredths / 100m).ToString("0.00", CultureInfo.InvariantCulture);
        for (int market = 0; market < markets; market++)
        {
            for (int cents = 10; cents < 40; cents += 3)
            {
                sizes[(market, "yes", cents)] = random.Next(1, 1_000_000);
                sizes[(market, "no", cents + 10)] = random.Next(1, 1_000_000);
            }

            string Side(string side) => string.Join(',', sizes.Where(level => level.Key.Market == market && level.Key.Side == side)
                .Select(level => $"[\"{Price(level.Key.Cents)}\",\"{Count(level.Value)}\"]"));
            yield return $$$"""{"type":"orderbook_snapshot","sid":1,"seq":{{{++seq}}},"msg":{"market_ticker":"{{{Ticker(market)}}}","market_id":"m-{{{market}}}","yes_dollars_fp":[{{{Side("yes")}}}],"no_dollars_fp":[{{{Side("no")}}}]}}""";
        }

        for (int i = 0; i < deltas; i++)
        {
            int market = random.Next(markets);
            var side = random.Next(2) == 0 ? "yes" : "no";
            int cents = random.Next(5, 45);
            int size = sizes.GetValueOrDefault((market, side, cents));
            int change = size > 0 && random.Next(3) == 0 ? -size : random.Next(-size / 2, 500_000);
            sizes[(market, side, cents)] = size + change;
            time += random.Next(100);
            if (change != 0)
                yield return $$$"""{"type":"orderbook_delta","sid":1,"seq":{{{++seq}}},"msg":{"market_ticker":"{{{Ticker(market)}}}","market_id":"m-{{{market}}}","price_dollars":"{{{Price(cents)}}}","delta_fp":"{{{Count(change)}}}","side":"{{{side}}}","ts_ms":{{{time}}}}}""";
            if (i % 500 == 250)
                yield return $$$"""{"type":"fill","sid":2,"msg":{"trade_id":"t-{{{i}}}","order_id":"o-1","market_ticker":"{{{Ticker(market)}}}","count_fp":"1.00","ts_ms":{{{time}}}}}""";
        }
    }
}
