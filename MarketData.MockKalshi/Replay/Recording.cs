using System.Collections.Frozen;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Replay;

/// <summary>
/// A recorded session in memory: every data frame in recorded order, and for each channel and market the frames that belong to it.
/// Immutable; one copy serves all connections.
/// </summary>
internal sealed class Recording
{
    private readonly FrozenDictionary<FeedChannel, FrozenDictionary<string, int[]>> _tracks;

    /// <param name="frames">Data frames in recorded order.</param>
    /// <param name="tracks">For each channel and market (empty text for none) the indexes of its frames.</param>
    /// <param name="markets">Every market that a frame names, in ticker order.</param>
    public Recording(RecordedFrame[] frames, Dictionary<FeedChannel, Dictionary<string, List<int>>> tracks, IReadOnlyList<MarketDefinition> markets)
    {
        Frames = frames;
        Markets = markets;
        _tracks = tracks.ToFrozenDictionary(
            channel => channel.Key,
            channel => channel.Value.ToFrozenDictionary(track => track.Key, track => track.Value.ToArray(), StringComparer.Ordinal));
    }

    public RecordedFrame[] Frames { get; }

    public IReadOnlyList<MarketDefinition> Markets { get; }

    /// <summary>The frames of one market on one channel, as indexes into <see cref="Frames"/>; empty when none were recorded.</summary>
    public int[] Track(FeedChannel channel, string ticker) =>
        _tracks.TryGetValue(channel, out var tracks) && tracks.TryGetValue(ticker, out int[]? track) ? track : [];

    /// <summary>The markets with frames on a channel; empty text stands for frames that name no market.</summary>
    public IEnumerable<string> TickersOf(FeedChannel channel) => _tracks.TryGetValue(channel, out var tracks) ? tracks.Keys : [];
}
