namespace MarketData.MockKalshi.Faults.Kinds;

/// <summary>
/// <c>reorder</c>: a frame is overtaken by the next frame of another sid. The frames of one sid stay in order among themselves, as the
/// exchange promises no more than that.
/// </summary>
internal sealed class ReorderFault(FaultFields fields) : FrameFault(fields)
{
    private readonly TimeSpan _patience = TimeSpan.FromMilliseconds(fields.Number("milliseconds", 1000, 1, 60_000));

    public override void Damage(in OutgoingFrame frame, ConnectionFaults connection) => connection.Hold(frame, _patience);

    protected override bool CanDamage(in OutgoingFrame frame) => frame.Sid != 0;
}
