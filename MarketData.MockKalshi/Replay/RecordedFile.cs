using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Replay;

/// <summary>What one file of a recording holds, before it is laid beside others.</summary>
/// <param name="Path">The file.</param>
/// <param name="Frames">Data frames in recorded order; their times count from the first.</param>
/// <param name="Tracks">For each channel and market (empty text for none) the indexes of its frames.</param>
/// <param name="Markets">Every market that a frame names.</param>
internal sealed record RecordedFile(
    string Path,
    RecordedFrame[] Frames,
    IReadOnlyDictionary<FeedChannel, Dictionary<string, List<int>>> Tracks,
    IReadOnlyDictionary<string, MarketTrace> Markets);

/// <summary>What frames say about a market.</summary>
/// <param name="MarketId">Null when no frame carries it.</param>
/// <param name="FirstTimeMs">The first frame's time, Unix milliseconds; 0 when unknown.</param>
internal sealed record MarketTrace(Guid? MarketId, long FirstTimeMs);

/// <summary>The frames of one market on one channel. Copies of a market share its frames and differ in what their ticker ends with.</summary>
/// <param name="Frames">Indexes into the recording's frames.</param>
/// <param name="Suffix">What follows the recorded ticker, UTF-8; empty for the recorded market itself.</param>
/// <param name="Copy">Counts from 0; among frames of the same place the lower copy plays first.</param>
internal sealed record RecordedTrack(int[] Frames, byte[] Suffix, int Copy)
{
    public static readonly RecordedTrack None = new([], [], 0);
}
