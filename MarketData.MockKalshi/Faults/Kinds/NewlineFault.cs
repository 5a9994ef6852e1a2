namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary><c>newline</c>: a frame's text ends with a line feed, as some of the exchange's do (protocol reference, section 1.1).</summary>
internal sealed class NewlineFault(FaultFields fields) : FrameFault(fields)
{
    public override void Damage(in OutgoingFrame frame, ConnectionFaults connection) =>
        connection.Pass(frame, [.. frame.Text, (byte)'\n']);
}
