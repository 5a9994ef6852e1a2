namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary><c>skip</c>: frames that carry <c>seq</c> are lost on their way, and their numbers with them.</summary>
internal sealed class SkipFault(FaultFields fields) : FrameFault(fields)
{
    public override void Damage(in OutgoingFrame frame, ConnectionFaults connection)
    {
    }

    protected override bool CanDamage(in OutgoingFrame frame) => frame.Sequenced;
}
