namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary><c>duplicate</c>: a frame arrives twice.</summary>
internal sealed class DuplicateFault(FaultFields fields) : FrameFault(fields)
{
    public override void Damage(in OutgoingFrame frame, ConnectionFaults connection)
    {
        connection.Pass(frame, frame.Text);
        connection.Pass(frame, frame.Text);
    }
}
