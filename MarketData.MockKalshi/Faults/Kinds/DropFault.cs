using System.Net.WebSockets;
using MarketData.ServiceDefaults.WebSockets;

namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary><c>drop</c>: instead of a frame the connection ends, with a Close frame after what is queued, or at once without one.</summary>
internal sealed class DropFault(FaultFields fields) : FrameFault(fields)
{
    private readonly bool _abort = fields.Choice("how", "close", "abort") == "abort";
    private readonly WebSocketCloseStatus _code = CodeOf(fields);

    public override void Damage(in OutgoingFrame frame, ConnectionFaults connection)
    {
        if (_abort)
        {
            connection.Abort();
            return;
        }

        // The connection ends when its queue is complete and sent; nothing that the session adds from here on is.
        frame.Queue.AddControl(WebSocketOpcode.Close, WebSocketClose.Body(_code, "fault injected"));
        frame.Queue.Complete();
    }

    private static WebSocketCloseStatus CodeOf(FaultFields fields)
    {
        int code = fields.Number("code", (int)WebSocketCloseStatus.EndpointUnavailable, 1000, 4999);
        if (WebSocketClose.MayBeSent(code)) return (WebSocketCloseStatus)code;
        throw new BadFaultException($"field code: close code {code} may not be on the wire (RFC 6455, section 7.4); 1001 or 1011 may");
    }
}
