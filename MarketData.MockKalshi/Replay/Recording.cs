using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Replay;

/// <summary>
/// Recorded sessions in memory: every data frame in the order of playing, and for each channel and market the frames that belong to it.
/// Immutable; one copy serves all connections. Costs the files' unpacked text, 72 bytes for each frame, and for each copy of a market
/// its names.
/// </summary>
internal sealed class Recording
{
    private const int MaxMarkets = 100_000;

    private readonly FrozenDictionary<FeedChannel, FrozenDictionary<string, RecordedTrack>> _tracks;

    private Recording(
        RecordedFrame[] frames,
        int copies,
        FrozenDictionary<FeedChannel, FrozenDictionary<string, RecordedTrack>> tracks,
        IReadOnlyList<MarketDefinition> markets)
    {
        Frames = frames;
        Copies = copies;
        DurationMs = frames.Max(frame => frame.TimeMs);
        Markets = markets;
        _tracks = tracks;
    }

    public RecordedFrame[] Frames { get; }

    /// <summary>The last frame's time since the first, milliseconds.</summary>
    public long DurationMs { get; }

    /// <summary>How often each market is there.</summary>
    public int Copies { get; }

    /// <summary>In ticker order.</summary>
    public IReadOnlyList<MarketDefinition> Markets { get; }

    /// <summary>Lays files beside each other that are played together: each file's first frame is at the same time, and a market is in one file only.</summary>
    /// <param name="files">At least one.</param>
    /// <param name="copies">How often each market is there; with more than one, its tickers get the suffixes -001, -002 and so on.</param>
    /// <param name="timeProvider">The clock; recorded markets are open now.</param>
    /// <exception cref="StartupException">Two files have the same market, or there would be too many markets.</exception>
    public static Recording Combine(RecordedFile[] files, int copies, TimeProvider timeProvider)
    {
        RequireDistinctMarkets(files);
        int markets = files.Sum(file => file.Markets.Count);
        if ((long)markets * copies > MaxMarkets)
            throw new StartupException($"Replay:Multiply (--multiply) {copies} of {markets} recorded markets is more than {MaxMarkets} in all.");
        var (frames, places) = Merge(files);

        var tracks = new Dictionary<FeedChannel, Dictionary<string, RecordedTrack>>();
        for (int file = 0; file < files.Length; file++)
        {
            foreach (var (channel, byTicker) in files[file].Tracks)
            {
                if (!tracks.TryGetValue(channel, out var merged)) tracks.Add(channel, merged = new(StringComparer.Ordinal));
                foreach (var (ticker, indexes) in byTicker) AddCopies(merged, ticker, [.. indexes.Select(index => places[file][index])], copies);
            }
        }

        var now = timeProvider.GetUtcNow();
        var definitions = files.SelectMany(file => file.Markets).SelectMany(
            market => CopiesOf(market.Key, copies).Select(ticker => RecordedMarket.Define(ticker, market.Key, market.Value, now)));
        return new Recording(
            frames,
            copies,
            tracks.ToFrozenDictionary(channel => channel.Key, channel => channel.Value.ToFrozenDictionary(StringComparer.Ordinal)),
            [.. definitions.OrderBy(market => market.Ticker, StringComparer.Ordinal)]);
    }

    /// <summary>The frames of one market on one channel; without frames when none were recorded.</summary>
    public RecordedTrack Track(FeedChannel channel, string ticker) =>
        _tracks.TryGetValue(channel, out var tracks) && tracks.TryGetValue(ticker, out var track) ? track : RecordedTrack.None;

    /// <summary>The markets with frames on a channel; empty text stands for frames that name no market.</summary>
    public IEnumerable<string> TickersOf(FeedChannel channel) => _tracks.TryGetValue(channel, out var tracks) ? tracks.Keys : [];

    private static void RequireDistinctMarkets(RecordedFile[] files)
    {
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            foreach (string ticker in file.Markets.Keys)
            {
                if (owners.TryAdd(ticker, file.Path)) continue;
                throw new StartupException(
                    $"The market {ticker} is in {owners[ticker]} and in {file.Path}, but files played at once have different markets; "
                    + "concatenated into one file they are played one after the other.");
            }
        }
    }

    /// <summary>All frames by their time since their file's first, each file's own in recorded order; and where each file's frames came to be.</summary>
    private static (RecordedFrame[] Frames, int[][] Places) Merge(RecordedFile[] files)
    {
        var frames = new RecordedFrame[files.Sum(file => file.Frames.Length)];
        int[][] places = [.. files.Select(file => new int[file.Frames.Length])];
        int[] next = new int[files.Length];
        for (int i = 0; i < frames.Length; i++)
        {
            int earliest = -1;
            for (int file = 0; file < files.Length; file++)
            {
                if (next[file] == files[file].Frames.Length) continue;
                if (earliest < 0 || TimeOf(file) < TimeOf(earliest)) earliest = file;
            }

            frames[i] = files[earliest].Frames[next[earliest]];
            places[earliest][next[earliest]++] = i;
        }

        return (frames, places);

        long TimeOf(int file) => files[file].Frames[next[file]].TimeMs;
    }

    private static void AddCopies(Dictionary<string, RecordedTrack> tracks, string ticker, int[] frames, int copies)
    {
        // Frames of no market, such as those of an event, can come from several files and have no copies.
        if (ticker.Length == 0)
        {
            int[] earlier = tracks.GetValueOrDefault(ticker, RecordedTrack.None).Frames;
            tracks[ticker] = new RecordedTrack([.. earlier.Concat(frames).Order()], [], 0);
            return;
        }

        int copy = 0;
        foreach (string name in CopiesOf(ticker, copies)) tracks.Add(name, new RecordedTrack(frames, Encoding.UTF8.GetBytes(name[ticker.Length..]), copy++));
    }

    private static IEnumerable<string> CopiesOf(string ticker, int copies) => copies == 1
        ? [ticker]
        : Enumerable.Range(1, copies).Select(copy => string.Create(CultureInfo.InvariantCulture, $"{ticker}-{copy:000}"));
}
