using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Dialects.Cents;

/// <summary>Composes data frames whose <c>msg</c> is in the form of the cents era.</summary>
internal sealed class CentsFrames : FrameComposer
{
    private readonly FrameText _message = new();
    private long _clock;

    public override ReadOnlySpan<byte> Data(Subscription subscription, string type, ReadOnlySpan<byte> message, long? commandId) =>
        base.Data(subscription, type, CentsMessage.Of(message, type == "ticker" ? ++_clock : null, _message), commandId);
}
