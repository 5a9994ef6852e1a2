using MarketData.MockKalshi.Exchange.Truth;

namespace MarketData.MockKalshi.Protocol;

/// <summary>One channel on one connection. Owned by the loop that runs the session's commands.</summary>
internal sealed class Subscription(Session session, int sid, FeedChannel channel)
{
    private long _seq;

    public Session Session { get; } = session;

    /// <summary>Counts from 1 on each connection.</summary>
    public int Sid { get; } = sid;

    public FeedChannel Channel { get; } = channel;

    /// <summary>The markets, sorted as acks list them; null when every market is sent.</summary>
    public SortedSet<string>? Tickers { get; private set; } = channel.MarketsAccepted ? new SortedSet<string>(StringComparer.Ordinal) : null;

    /// <summary>What a channel of index values is filtered by, sorted; null on every other channel.</summary>
    public SortedSet<string>? Indexes { get; } = channel.Indexes is null ? null : new SortedSet<string>(StringComparer.Ordinal);

    /// <summary>Acks leave out the lists.</summary>
    public bool SkipTickerAck { get; set; }

    /// <summary>NO levels carry 1-p (protocol reference, section 1.9). Fixed by the command that opened the subscription.</summary>
    public bool UseYesPrice { get; init; }

    /// <summary>On the book channel: which state of the exchange the stream had come to with which of its numbers.</summary>
    public SeqTrail Trail { get; } = new();

    /// <summary>The last number taken; 0 before the first.</summary>
    public long LastSeq => Volatile.Read(ref _seq);

    /// <summary>The next number of this sid: one count over data, <c>ok</c>, <c>unsubscribed</c> and scoped errors.</summary>
    public long NextSeq() => Interlocked.Increment(ref _seq);

    /// <summary>Adds what a <c>subscribe</c> names; nothing on channels without indexes.</summary>
    public void AddIndexes(CommandParams parameters) => Indexes?.UnionWith(Channel.Indexes!.Named(parameters) ?? []);

    /// <summary>Adds to the indexes or takes from them as the action says; returns what is wrong with the command, null when it is done.</summary>
    public ErrorCode? ChangeIndexes(CommandParams parameters)
    {
        var filter = Channel.Indexes!;
        bool adds = parameters.Action == filter.AddAction;
        if (!adds && parameters.Action != filter.RemoveAction) return ErrorCode.UnsupportedAction;
        if (filter.Named(parameters) is not { Length: > 0 } named) return filter.Missing;
        if (adds) Indexes!.UnionWith(named);
        else Indexes!.ExceptWith(named);
        return null;
    }

    /// <summary>A frame with this number was sent that took none of this count; the next number follows it.</summary>
    public void ContinueAfter(long seq) => Volatile.Write(ref _seq, seq);

    public void TakeEveryMarket() => Tickers = null;
}
