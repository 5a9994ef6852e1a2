using System.Text.Json;

namespace MarketData.Ingest.Upstream;

/// <summary>The fields of a control or life cycle frame's <c>msg</c> that the session looks at.</summary>
/// <param name="Channel">Of <c>subscribed</c>.</param>
/// <param name="Sid">Of <c>subscribed</c>; 0 when absent.</param>
/// <param name="Code">Of <c>error</c>; 0 when absent.</param>
/// <param name="EventType">Of life cycle frames.</param>
public readonly record struct ControlBody(string? Channel, long Sid, int Code, string? EventType)
{
    /// <summary>Reads a body; what is no object has no fields, as in one dialect, whose errors have text for a body.</summary>
    public static ControlBody Read(ReadOnlySpan<byte> body)
    {
        var fields = default(ControlBody);
        var reader = new Utf8JsonReader(body);
        if (body.IsEmpty || !reader.Read() || reader.TokenType != JsonTokenType.StartObject) return fields;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.ValueSpan;
            reader.Read();
            if (key.SequenceEqual("channel"u8)) fields = fields with { Channel = Text(ref reader) };
            else if (key.SequenceEqual("event_type"u8)) fields = fields with { EventType = Text(ref reader) };
            else if (key.SequenceEqual("sid"u8)) fields = fields with { Sid = Number(ref reader) };
            else if (key.SequenceEqual("code"u8)) fields = fields with { Code = (int)Math.Clamp(Number(ref reader), 0, int.MaxValue) };
            reader.Skip();
        }

        return fields;
    }

    private static string? Text(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.String ? reader.GetString() : null;

    private static long Number(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long value) ? value : 0;
}
