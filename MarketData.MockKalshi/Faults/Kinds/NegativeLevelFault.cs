using System.Text.Json;
using MarketData.Domain.Frames;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary><c>negative-level</c>: a delta takes more from its level than ever rested there; every other byte of it is right.</summary>
internal sealed class NegativeLevelFault(FaultFields fields) : FrameFault(fields)
{
    private readonly FrameText _text = new();

    public override void Damage(in OutgoingFrame frame, ConnectionFaults connection)
    {
        var change = ChangeOf(frame.Text);
        bool quoted = frame.Text[change.Start] == (byte)'"';
        lock (_text)
        {
            // Several connections share the fault, and each is served by a loop of its own.
            _text.Clear().Raw(frame.Text[..change.Start]).Raw(quoted ? "\"-1000000000.00\""u8 : "-1000000000"u8);
            connection.Pass(frame, _text.Raw(frame.Text[(change.Start + change.Length)..]).Written);
        }
    }

    protected override bool CanDamage(in OutgoingFrame frame) => frame.Type == "orderbook_delta" && !ChangeOf(frame.Text).IsEmpty;

    /// <summary>Where the value after <c>delta_fp</c> (or <c>delta</c>, as cents-era frames have it) stands; empty when there is none.</summary>
    private static ByteRange ChangeOf(ReadOnlySpan<byte> frame)
    {
        var reader = new Utf8JsonReader(frame);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName) continue;
            if (!reader.ValueTextEquals("delta_fp"u8) && !reader.ValueTextEquals("delta"u8)) continue;
            reader.Read();
            return new ByteRange((int)reader.TokenStartIndex, (int)(reader.BytesConsumed - reader.TokenStartIndex));
        }

        return default;
    }
}
