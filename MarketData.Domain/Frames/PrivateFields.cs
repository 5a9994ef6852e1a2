using System.Buffers;
using System.Text.Json;

namespace MarketData.Domain.Frames;

/// <summary>
/// Cuts the fields that name the connected account's own order out of a public frame (the exchange adds them to a delta that this
/// account caused). Every other field keeps its place and its bytes; a frame without such fields is never rewritten.
/// </summary>
public static class PrivateFields
{
    /// <summary>Returns the frame without <c>client_order_id</c> and <c>subaccount</c> at its top level and in its body.</summary>
    /// <param name="frame">A frame that <see cref="ExchangeFrame.TryParse"/> took.</param>
    /// <exception cref="JsonException">The frame is not JSON.</exception>
    public static byte[] Strip(ReadOnlySpan<byte> frame)
    {
        var reader = new Utf8JsonReader(frame);
        var output = new ArrayBufferWriter<byte>(frame.Length);
        reader.Read();
        CopyObject(ref reader, frame, output, isRoot: true);
        return output.WrittenSpan.ToArray();
    }

    private static bool IsPrivate(ReadOnlySpan<byte> key) => key.SequenceEqual("client_order_id"u8) || key.SequenceEqual("subaccount"u8);

    private static void CopyObject(ref Utf8JsonReader reader, ReadOnlySpan<byte> frame, ArrayBufferWriter<byte> output, bool isRoot)
    {
        output.Write("{"u8);
        bool isFirst = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int start = (int)reader.TokenStartIndex;
            bool isPrivate = IsPrivate(reader.ValueSpan);
            reader.Read();
            if (isPrivate)
            {
                reader.Skip();
                continue;
            }

            if (!isFirst) output.Write(","u8);
            isFirst = false;
            if (isRoot && reader.TokenType == JsonTokenType.StartObject)
            {
                output.Write(frame[start..(int)reader.TokenStartIndex]);
                CopyObject(ref reader, frame, output, isRoot: false);
            }
            else
            {
                reader.Skip();
                output.Write(frame[start..(int)reader.BytesConsumed]);
            }
        }

        output.Write("}"u8);
    }
}
