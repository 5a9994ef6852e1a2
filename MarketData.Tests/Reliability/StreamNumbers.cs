using System.Text;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

namespace MarketData.Tests.Reliability;

/// <summary>Checks that each stream counts 1, 2, 3 … and that only a later epoch begins again.</summary>
internal sealed class StreamNumbers
{
    private readonly Dictionary<(string Ticker, StreamKind Stream), StreamPosition> _last = [];
    private readonly List<string> _holes = [];

    /// <summary>The last number of each stream.</summary>
    public IReadOnlyDictionary<(string Ticker, StreamKind Stream), StreamPosition> Last => _last;

    /// <summary>Streams that began again under a later epoch.</summary>
    public int BegunAgain { get; private set; }

    /// <summary>Where a number was missing or went back, since the last call.</summary>
    public IReadOnlyList<string> TakeHoles()
    {
        string[] holes = [.. _holes];
        _holes.Clear();
        return holes;
    }

    /// <summary>Takes an envelope's number; false when it came before.</summary>
    public bool Take(ReadOnlySpan<byte> value, in Envelope envelope)
    {
        var stream = (Encoding.UTF8.GetString(envelope.Ticker.Of(value)), envelope.Channel.Stream());
        bool isKnown = _last.TryGetValue(stream, out var last);
        if (isKnown && envelope.Position <= last) return false;
        bool follows = isKnown ? envelope.Position == last.Next || (envelope.StreamEpoch > last.Epoch && envelope.StreamSequence == 1) : envelope.StreamSequence == 1;
        if (!follows && (isKnown || !MayBeginAnywhere)) _holes.Add($"{stream}: {envelope.Position} after {last}");
        if (isKnown && envelope.StreamEpoch > last.Epoch) BegunAgain++;
        _last[stream] = envelope.Position;
        return true;
    }

    /// <summary>A listener that was away does not know what came meanwhile.</summary>
    public bool MayBeginAnywhere { get; private set; }

    /// <summary>Forgets where the streams were.</summary>
    public void Restart()
    {
        _last.Clear();
        MayBeginAnywhere = true;
    }
}
