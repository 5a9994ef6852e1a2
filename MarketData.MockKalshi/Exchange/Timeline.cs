namespace MarketData.MockKalshi.Exchange;

/// <summary>Something that happens at a point of exchange time.</summary>
internal sealed class TimelineEvent(Action<DateTimeOffset> happens)
{
    public Action<DateTimeOffset> Happens { get; } = happens;
}

/// <summary>
/// Everything that will happen on the simulated exchange, in one order of exchange time: what follows from what does not depend on when
/// the host runs it. Owned by the exchange's loop.
/// </summary>
internal sealed class Timeline(DateTimeOffset start)
{
    private readonly PriorityQueue<TimelineEvent, Due> _events = new();
    private long _scheduled;

    /// <summary>At one time, what was scheduled first happens first.</summary>
    private readonly record struct Due(DateTimeOffset Time, long Number) : IComparable<Due>
    {
        public int CompareTo(Due other) => Time == other.Time ? Number.CompareTo(other.Number) : Time.CompareTo(other.Time);
    }

    /// <summary>Up to here everything has happened.</summary>
    public DateTimeOffset Now { get; private set; } = start;

    /// <summary>When the next event is due; null when nothing will happen.</summary>
    public DateTimeOffset? NextDue => _events.TryPeek(out _, out var due) ? due.Time : null;

    public TimelineEvent Schedule(DateTimeOffset time, Action<DateTimeOffset> happens)
    {
        var scheduled = new TimelineEvent(happens);
        _events.Enqueue(scheduled, new Due(time > Now ? time : Now, _scheduled++));
        return scheduled;
    }

    /// <summary>What has not happened yet will not.</summary>
    public void Cancel(TimelineEvent scheduled) => _events.Remove(scheduled, out _, out _, ReferenceEqualityComparer.Instance);

    /// <summary>Lets happen what is due; false when that was more than <paramref name="most"/>, and time stands at the last of these.</summary>
    public bool RunUntil(DateTimeOffset time, int most)
    {
        for (int i = 0; _events.TryPeek(out var next, out var due) && due.Time <= time; i++)
        {
            if (i == most) return false;
            _events.Dequeue();
            Now = due.Time;
            next.Happens(Now);
        }

        if (time > Now) Now = time;
        return true;
    }
}
