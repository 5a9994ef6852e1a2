using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary><c>drop</c>: instead of a frame the connection ends, with a Close frame after what is queued, or at once without one.</summary>
internal sealed class DropFault(FaultFields fields) : FrameFault(fields)
{
    private readonly bool _abort = fields.Choice("how", "close", "abort") == "abort";
    private readonly CloseCode _code = CodeOf(fields);

    public override void Damage(in OutgoingFrame frame, ConnectionFaults connection)
    {
        if (_abort)
        {
            connection.Abort();
            return;
        }

        // The connection ends when its queue is complete and sent; nothing that the session adds from here on is.
        frame.Queue.AddControl(Opcode.Close, CloseBody.Write(_code, "fault injected"));
        frame.Queue.Complete();
    }

    private static CloseCode CodeOf(FaultFields fields)
    {
        int code = fields.Number("code", (int)CloseCode.GoingAway, 1000, 4999);
        if (CloseBody.MayBeSent(code)) return (CloseCode)code;
        throw new BadFaultException($"field code: close code {code} may not be on the wire (RFC 6455, section 7.4); 1001 or 1011 may");
    }
}
