using System.Buffers.Text;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Replay;

/// <summary>
/// A recorded frame as a subscriber gets it: with the subscriber's sid, its seq or the recorded one, and its copy's ticker; every other
/// byte as recorded. The result is valid until the next call. Not thread-safe.
/// </summary>
internal sealed class ReplayedText(ReplaySeq seq)
{
    private readonly FrameText _text = new();

    public ReadOnlySpan<byte> Of(in RecordedFrame frame, Subscription subscription, RecordedTrack track)
    {
        var recorded = frame.Text.Span;
        _text.Clear();
        int copied = 0;
        ReadOnlySpan<FramePlace> places = [frame.First, frame.Second, frame.Third];
        foreach (var place in places)
        {
            _text.Raw(recorded[copied..place.Start]);
            copied = place.Start + place.Length;
            switch (place.Token)
            {
                case FrameToken.Sid:
                    _text.Number(subscription.Sid);
                    break;
                case FrameToken.Seq:
                    Number(recorded[place.Start..copied], subscription);
                    break;
                case FrameToken.TickerEnd:
                    _text.Raw(track.Suffix);
                    break;
            }
        }

        return _text.Raw(recorded[copied..]).Written;
    }

    private void Number(ReadOnlySpan<byte> recorded, Subscription subscription)
    {
        if (seq == ReplaySeq.Renumbered)
        {
            _text.Number(subscription.NextSeq());
            return;
        }

        // What the mock itself sends on this sid goes on from here.
        if (Utf8Parser.TryParse(recorded, out long number, out int length) && length == recorded.Length) subscription.ContinueAfter(number);
        _text.Raw(recorded);
    }
}
