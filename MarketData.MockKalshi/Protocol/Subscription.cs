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

    /// <summary>Acks leave out the ticker list.</summary>
    public bool SkipTickerAck { get; set; }

    /// <summary>NO levels carry 1-p (protocol reference, section 1.9). Fixed by the command that opened the subscription.</summary>
    public bool UseYesPrice { get; init; }

    /// <summary>The next number of this sid: one count over data, <c>ok</c>, <c>unsubscribed</c> and scoped errors.</summary>
    public long NextSeq() => ++_seq;

    /// <summary>A frame with this number was sent that took none of this count; the next number follows it.</summary>
    public void ContinueAfter(long seq) => _seq = seq;

    public void TakeEveryMarket() => Tickers = null;
}
