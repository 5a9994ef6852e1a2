using System.IO.Compression;
using System.Text;
using MarketData.Domain.Frames;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Replay;

/// <summary>
/// Reads a recording: one JSON frame a line, text or gzip. Control frames (<c>subscribed</c>, <c>ok</c>, <c>unsubscribed</c>,
/// <c>error</c>) belonged to the recorded client and are left out; so are types of no channel.
/// </summary>
internal sealed class RecordingReader(string path)
{
    private const int ChunkBytes = 4 * 1024 * 1024;

    /// <summary>Recorded times farther apart than this are not times: what such a frame waits stays representable.</summary>
    private const double LongestTimeMs = 1e13;

    private readonly List<RecordedFrame> _frames = [];
    private readonly Dictionary<FeedChannel, Dictionary<string, List<int>>> _tracks = [];
    private readonly Dictionary<string, MarketTrace> _markets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private byte[] _chunk = [];
    private int _chunkUsed;
    private long _time;

    /// <exception cref="StartupException">The file cannot be read, or a line of it is no frame.</exception>
    public static RecordedFile Read(string path)
    {
        try
        {
            return new RecordingReader(path).Read();
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new StartupException($"The recording {path} cannot be read: {exception.Message}", exception);
        }
    }

    private RecordedFile Read()
    {
        using var file = File.OpenRead(path);
        using var text = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
        var lines = new LineReader(text);
        for (int number = 1; lines.TryRead(out var line); number++) Add(line, number);
        if (_frames.Count == 0) throw new StartupException($"The recording {path} holds no data frame.");
        return new RecordedFile(path, FramesFromTheFirst(), _tracks, _markets);
    }

    private void Add(ReadOnlySpan<byte> line, int number)
    {
        if (line.IsEmpty) throw new StartupException($"{path}, line {number}: the line is empty, but each line holds one frame.");
        if (!ExchangeFrame.TryParse(line, out var frame, out string? error))
            throw new StartupException($"{path}, line {number}: not a frame: {error}");
        if (frame.TypeName.IsEmpty) throw new StartupException($"{path}, line {number}: the frame has no type.");

        string type = Name(frame.TypeName.Of(line));
        if (FeedChannel.CarrierOf(type) is not { } channel) return;
        string ticker = Name(frame.Ticker.Of(line));
        var tokens = FrameTokens.Find(line);
        _time = tokens.TimeMs ?? _time;

        if (!_tracks.TryGetValue(channel, out var tracks)) _tracks.Add(channel, tracks = new(StringComparer.Ordinal));
        if (!tracks.TryGetValue(ticker, out var track)) tracks.Add(ticker, track = []);
        track.Add(_frames.Count);
        var (first, second, third) = PlacesOf(frame, tokens);
        _frames.Add(new RecordedFrame(Keep(line), type, first, second, third, _time, frame.Type == FrameType.OrderbookSnapshot));
        if (ticker.Length > 0) Trace(ticker, frame.MarketId.Of(line));
    }

    private static (FramePlace First, FramePlace Second, FramePlace Third) PlacesOf(in ExchangeFrame frame, in FrameTokens tokens)
    {
        Span<FramePlace> places = [FramePlace.Of(FrameToken.Sid, tokens.Sid), FramePlace.Of(FrameToken.Seq, tokens.Seq), default];
        if (!frame.Ticker.IsEmpty) places[2] = new FramePlace(FrameToken.TickerEnd, frame.Ticker.Start + frame.Ticker.Length, 0);
        places.Sort((one, other) => one.Start.CompareTo(other.Start));
        return (places[0], places[1], places[2]);
    }

    private void Trace(string ticker, ReadOnlySpan<byte> marketId)
    {
        Guid? id = Guid.TryParse(Encoding.UTF8.GetString(marketId), out var parsed) ? parsed : null;
        if (!_markets.TryGetValue(ticker, out var trace)) _markets.Add(ticker, new MarketTrace(id, _time));
        else if (trace.MarketId is null && id is not null) _markets[ticker] = trace with { MarketId = id };
    }

    /// <summary>Copies a line into a large block that it shares with its neighbours: 200,000 frames are some twenty objects.</summary>
    private ReadOnlyMemory<byte> Keep(ReadOnlySpan<byte> line)
    {
        if (_chunk.Length - _chunkUsed < line.Length)
        {
            _chunk = GC.AllocateUninitializedArray<byte>(Math.Max(ChunkBytes, line.Length));
            _chunkUsed = 0;
        }

        var kept = _chunk.AsMemory(_chunkUsed, line.Length);
        line.CopyTo(kept.Span);
        _chunkUsed += line.Length;
        return kept;
    }

    private string Name(ReadOnlySpan<byte> utf8)
    {
        // Few names come again and again: one string for each.
        var lookup = _names.GetAlternateLookup<ReadOnlySpan<char>>();
        Span<char> characters = utf8.Length <= 256 ? stackalloc char[utf8.Length] : new char[utf8.Length];
        characters = characters[..Encoding.UTF8.GetChars(utf8, characters)];
        if (lookup.TryGetValue(characters, out string? known)) return known;
        string name = new(characters);
        _names.Add(name, name);
        return name;
    }

    /// <summary>Times since the first; frames before the first time take that one: they were sent just before it.</summary>
    private RecordedFrame[] FramesFromTheFirst()
    {
        var frames = _frames.ToArray();
        long first = Array.Find(frames, frame => frame.TimeMs > 0).TimeMs;
        for (int i = 0; i < frames.Length; i++)
        {
            long time = frames[i].TimeMs == 0 ? first : frames[i].TimeMs;
            frames[i] = frames[i] with { TimeMs = (long)Math.Clamp((double)time - first, -LongestTimeMs, LongestTimeMs) };
        }

        return frames;
    }
}
