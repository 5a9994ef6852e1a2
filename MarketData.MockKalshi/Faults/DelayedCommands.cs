using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Faults;

/// <summary>A connection's commands, each at the earliest when its delay is over. For one reader.</summary>
/// <param name="commands">Where they come from.</param>
/// <param name="delayOf">Asked once for each command, when it is the next.</param>
/// <param name="timeProvider">The clock.</param>
internal sealed class DelayedCommands(ChannelReader<Command> commands, Func<Command, TimeSpan> delayOf, TimeProvider timeProvider)
    : ChannelReader<Command>
{
    /// <summary>Guards what follows: a reader may wait and look at the same time.</summary>
    private readonly Lock _gate = new();

    private Command? _next;
    private long _since;
    private TimeSpan _delay;

    public override bool TryRead([MaybeNullWhen(false)] out Command item)
    {
        item = null;
        if (!commands.TryPeek(out var next) || Left(next) > TimeSpan.Zero) return false;
        return commands.TryRead(out item);
    }

    public override async ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
    {
        if (!await commands.WaitToReadAsync(cancellationToken)) return false;
        if (commands.TryPeek(out var next) && Left(next) is var left && left > TimeSpan.Zero)
            await Task.Delay(left, timeProvider, cancellationToken);
        return true;
    }

    private TimeSpan Left(Command next)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(next, _next)) (_next, _since, _delay) = (next, timeProvider.GetTimestamp(), delayOf(next));
            return _delay - timeProvider.GetElapsedTime(_since);
        }
    }
}
