namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary><c>malformed</c>: a frame's text ends in the middle: UTF-8 still, JSON no more.</summary>
internal sealed class MalformedFault(FaultFields fields) : FrameFault(fields)
{
    public override void Damage(in OutgoingFrame frame, ConnectionFaults connection)
    {
        int end = frame.Text.Length / 2;
        // Not inside of a character: its second and later bytes begin with the bits 10.
        while (end > 0 && (frame.Text[end] & 0xC0) == 0x80) end--;
        connection.Pass(frame, frame.Text[..end]);
    }
}
