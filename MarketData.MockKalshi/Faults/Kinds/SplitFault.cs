namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary><c>split</c>: a message comes in several WebSocket frames (RFC 6455, section 5.4), cut anywhere, also within a character.</summary>
internal sealed class SplitFault(FaultFields fields) : FrameFault(fields)
{
    private readonly int _fragments = fields.Number("fragments", 3, 2, 100);

    public override void Damage(in OutgoingFrame frame, ConnectionFaults connection) =>
        connection.Pass(frame, frame.Text, _fragments);
}
