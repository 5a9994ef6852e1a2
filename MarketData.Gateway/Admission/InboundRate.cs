namespace MarketData.Gateway.Admission;

/// <summary>What to do with a client's message.</summary>
public enum InboundVerdict : byte
{
    Accept,

    /// <summary>Too many: answer with an error, do nothing else.</summary>
    Refuse,

    /// <summary>It went on after errors: close.</summary>
    Close,
}

/// <summary>
/// Token bucket of one client: messages at a steady rate, and after a pause ten seconds' worth of them at once. Refused messages cost
/// as much as others, and after ten more seconds' worth the client is closed. Not thread-safe.
/// </summary>
/// <param name="perSecond">Messages a second in the long run, 1 to 1,000,000.</param>
/// <param name="time">The clock.</param>
public sealed class InboundRate(int perSecond, TimeProvider time)
{
    private const int BurstSeconds = 10;
    private readonly long _cost = time.TimestampFrequency / perSecond, _burst = BurstSeconds * time.TimestampFrequency;

    // The time at which what was sent so far would have been sent at the steady rate: one number is the whole bucket.
    private long _paidUntil;

    /// <summary>Call once for each message.</summary>
    public InboundVerdict Take()
    {
        long now = time.GetTimestamp();
        _paidUntil = Math.Max(_paidUntil, now) + _cost;
        long ahead = _paidUntil - now;
        return ahead <= _burst ? InboundVerdict.Accept : ahead <= 2 * _burst ? InboundVerdict.Refuse : InboundVerdict.Close;
    }
}
