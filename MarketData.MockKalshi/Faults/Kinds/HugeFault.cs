namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary><c>huge</c>: a frame gets an unknown field with a long text; what it says stays the same.</summary>
/// <remarks>At most 16 of 16 MiB, as they wait in memory until the client has read them.</remarks>
internal sealed class HugeFault(FaultFields fields) : FrameFault(fields, mostCount: 16)
{
    private const int Mebibyte = 1024 * 1024;

    private readonly int _padding = fields.Number("bytes", Mebibyte, 1, 16 * Mebibyte);

    public override void Damage(in OutgoingFrame frame, ConnectionFaults connection)
    {
        var prefix = ",\"padding\":\""u8;
        int end = frame.Text.LastIndexOf((byte)'}');
        byte[] huge = new byte[end + prefix.Length + _padding + 2];
        frame.Text[..end].CopyTo(huge);
        prefix.CopyTo(huge.AsSpan(end));
        huge.AsSpan(end + prefix.Length, _padding).Fill((byte)'x');
        "\"}"u8.CopyTo(huge.AsSpan(huge.Length - 2));
        connection.Pass(frame, huge);
    }

    protected override bool CanDamage(in OutgoingFrame frame) => frame.Text.Contains((byte)'}');
}
