using System.Buffers;
using System.Text.Json;

namespace MarketData.Domain.Frames;

/// <summary>
/// Cuts the fields that name the connected account's own order out of a public frame (the exchange adds them to a delta that this
/// account caused). Everything else keeps its bytes' meaning; a frame without such fields is never rewritten.
/// </summary>
public static class PrivateFields
{
    /// <summary>Returns the frame without <c>client_order_id</c> and <c>subaccount</c> in its body.</summary>
    /// <exception cref="JsonException">The frame is not JSON.</exception>
    public static byte[] Strip(ReadOnlySpan<byte> frame)
    {
        var reader = new Utf8JsonReader(frame);
        var document = JsonElement.ParseValue(ref reader);
        var output = new ArrayBufferWriter<byte>(frame.Length);
        using (var writer = new Utf8JsonWriter(output)) Write(writer, document);
        return output.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, JsonElement element)
    {
        writer.WriteStartObject();
        foreach (var property in element.EnumerateObject())
        {
            if (property.Name is "client_order_id" or "subaccount") continue;
            writer.WritePropertyName(property.Name);
            if (property.Value.ValueKind == JsonValueKind.Object) Write(writer, property.Value);
            else writer.WriteRawValue(property.Value.GetRawText(), skipInputValidation: true);
        }

        writer.WriteEndObject();
    }
}
