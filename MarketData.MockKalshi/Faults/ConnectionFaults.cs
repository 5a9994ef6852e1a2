using System.Threading.Channels;
using MarketData.MockKalshi.Faults.Kinds;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Faults;

/// <summary>
/// Where faults meet one WebSocket connection: its frames on their way out, its commands, its reading, its Pings. With no fault active
/// each meeting is one volatile read. The members that take a session are called in the loop that serves it.
/// </summary>
internal sealed class ConnectionFaults(FaultRegistry registry, int number, Action abort, TimeProvider timeProvider) : IDisposable
{
    private HeldFrames? _held;

    /// <summary>True when a fault has taken the frame, so that it is not to be queued any more.</summary>
    /// <param name="session">Whose frame it is.</param>
    /// <param name="type">The frame's type.</param>
    /// <param name="text">The whole frame.</param>
    /// <param name="live">It counts against the client's stream buffer, which has room for it.</param>
    public bool Take(Session session, string type, ReadOnlySpan<byte> text, bool live)
    {
        var active = registry.Active;
        if (active.Length == 0 && _held is null) return false;

        var frame = OutgoingFrame.Of(session, type, text, live);
        foreach (var fault in active)
        {
            // One fault a frame: the oldest that fires.
            if (fault is not FrameFault damage || !damage.Concerns(frame, number) || !registry.TryFire(fault)) continue;
            damage.Damage(frame, this);
            return true;
        }

        if (_held is null) return false;
        Pass(frame, frame.Text);
        return true;
    }

    /// <summary>The error that ends a subscription in place of its next data frame; null in the usual case.</summary>
    public ErrorCode? EndOf(Subscription subscription)
    {
        foreach (var fault in registry.Active)
        {
            if (fault is SubscriptionErrorFault error && error.Concerns(subscription, number) && registry.TryFire(error)) return error.Code;
        }

        return null;
    }

    /// <summary>The error that refuses a command instead of its execution; null in the usual case.</summary>
    public ErrorCode? RefusalOf(Command command)
    {
        foreach (var fault in registry.Active)
        {
            if (fault is CommandErrorFault error && error.Concerns(command, number) && registry.TryFire(error)) return error.Code;
        }

        return null;
    }

    /// <summary>The feed, without the markets that are hidden at present.</summary>
    public IMarketFeed WithoutHidden(IMarketFeed feed) => registry.Active.Length == 0 ? feed : new HidingFeed(feed, registry);

    /// <summary>The commands, late where a fault asks for it.</summary>
    public ChannelReader<Command> Delayed(ChannelReader<Command> commands) => new DelayedCommands(commands, UntilExecution, timeProvider);

    public bool SuppressesPing() =>
        Array.Exists(registry.Active, fault => fault is StopPingingFault stop && stop.Concerns(number) && registry.TryFire(stop));

    /// <summary>Ends at once unless a fault stops this connection's reading; then when the fault is removed or its time is over.</summary>
    public async ValueTask UntilReadingGoesOnAsync(CancellationToken cancellationToken)
    {
        foreach (var fault in registry.Active)
        {
            if (fault is StopReadingFault stop && stop.Concerns(number) && registry.TryFire(stop))
                await stop.UntilOverAsync(timeProvider, cancellationToken);
        }
    }

    /// <summary>Queues what stands for a frame, after frames that are held back where their order asks for it.</summary>
    /// <param name="frame">What the text was made from.</param>
    /// <param name="text">What the client gets.</param>
    /// <param name="fragments">In how many WebSocket frames, unless it is held back.</param>
    public void Pass(in OutgoingFrame frame, ReadOnlySpan<byte> text, int fragments = 1)
    {
        if (_held?.TryHold(frame, text) == true) return;
        if (frame.Live) frame.Queue.AddStreamFrame(text, fragments);
        else frame.Queue.AddText(text, fragments);
        // A frame of no subscription lets the held ones wait on.
        if (frame.Sid != 0) LetGo();
    }

    /// <summary>Holds a frame back until one of another sid has gone ahead, or its patience ends.</summary>
    public void Hold(in OutgoingFrame frame, TimeSpan patience)
    {
        LetGo();
        _held = new HeldFrames(frame, patience, timeProvider);
    }

    /// <summary>Ends the connection without a word; what is queued is lost.</summary>
    public void Abort() => abort();

    public void Dispose() => _held?.Dispose();

    private TimeSpan UntilExecution(Command command)
    {
        foreach (var fault in registry.Active)
        {
            if (fault is DelayAckFault delay && delay.Concerns(number) && registry.TryFire(delay)) return delay.Delay;
        }

        return TimeSpan.Zero;
    }

    private void LetGo()
    {
        _held?.Dispose();
        _held = null;
    }
}
