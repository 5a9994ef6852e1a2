using System.Text.Json;
using MarketData.Domain.Frames;

namespace MarketData.MockKalshi.Replay;

/// <summary>What a player puts something else for.</summary>
internal enum FrameToken : byte
{
    /// <summary>Nothing: the frame has fewer than three.</summary>
    None,

    /// <summary>The number after <c>sid</c>.</summary>
    Sid,

    /// <summary>The number after <c>seq</c>.</summary>
    Seq,

    /// <summary>Where the market's ticker ends: of no length itself.</summary>
    TickerEnd,
}

/// <summary>Where a token stands in a frame, in bytes.</summary>
internal readonly record struct FramePlace(FrameToken Token, int Start, int Length)
{
    public static FramePlace Of(FrameToken token, ByteRange range) => range.IsEmpty ? default : new FramePlace(token, range.Start, range.Length);
}

/// <summary>A frame of a recording: its bytes, and where the tokens stand that players replace.</summary>
/// <param name="Text">The frame as recorded.</param>
/// <param name="Type">Its <c>type</c>.</param>
/// <param name="First">This and the next two in the order in which they stand; absent ones first.</param>
/// <param name="Second">The second.</param>
/// <param name="Third">The third.</param>
/// <param name="TimeMs">When the exchange sent it, milliseconds since the file's first frame; its predecessor's time when it carries none.</param>
/// <param name="IsSnapshot">Replaces its market's book.</param>
internal readonly record struct RecordedFrame(
    ReadOnlyMemory<byte> Text, string Type, FramePlace First, FramePlace Second, FramePlace Third, long TimeMs, bool IsSnapshot)
{
    public bool HasSid => First.Token == FrameToken.Sid || Second.Token == FrameToken.Sid || Third.Token == FrameToken.Sid;
}

/// <summary>The tokens of a frame's top level that <see cref="ExchangeFrame"/> gives as values, here as places, and its time.</summary>
internal readonly record struct FrameTokens(ByteRange Sid, ByteRange Seq, long? TimeMs)
{
    /// <param name="frame">A frame that <see cref="ExchangeFrame.TryParse"/> accepts.</param>
    public static FrameTokens Find(ReadOnlySpan<byte> frame)
    {
        ByteRange sid = default, seq = default;
        long? time = null;
        var reader = new Utf8JsonReader(frame);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth > 2) continue;
            if (reader.CurrentDepth == 1)
            {
                if (reader.ValueTextEquals("sid"u8)) sid = NumberAfter(ref reader);
                else if (reader.ValueTextEquals("seq"u8)) seq = NumberAfter(ref reader);
                else if (reader.ValueTextEquals("ts_ms"u8)) time = IntegerAfter(ref reader) ?? time;
            }
            else if (reader.ValueTextEquals("ts_ms"u8))
            {
                time = IntegerAfter(ref reader) ?? time;
            }
        }

        return new FrameTokens(sid, seq, time);
    }

    private static ByteRange NumberAfter(ref Utf8JsonReader reader)
    {
        reader.Read();
        bool isNumber = reader.TokenType == JsonTokenType.Number;
        return isNumber ? new ByteRange((int)reader.TokenStartIndex, reader.ValueSpan.Length) : default;
    }

    private static long? IntegerAfter(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long value) ? value : null;
    }
}
