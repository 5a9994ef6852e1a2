namespace MarketData.Ingest.Leadership;

/// <summary>
/// The rules by which processes that read the same records in the same order agree on one leader at a time. Reads what the topic has and
/// tells what to write; knows nothing of Kafka. Not thread-safe.
/// </summary>
/// <param name="process">Who this is, unlike every other start of any process.</param>
/// <param name="lease">Silence after which a leader counts as gone.</param>
/// <param name="heartbeat">Time between two signs of life.</param>
/// <param name="time">The clock.</param>
public sealed class Election(string process, TimeSpan lease, TimeSpan heartbeat, TimeProvider time)
{
    private string _leader = "";
    private bool _resigned;
    private long _heardAt;
    private long? _challengedAt, _askedAt, _wroteAt;

    /// <summary>The highest term that was claimed; 0 before the first.</summary>
    public long Term { get; private set; }

    /// <summary>Who leads, or led last; empty before the first.</summary>
    public string Leader => _leader;

    public bool IsLeading => _leader == process && !_resigned;

    /// <summary>Takes the next record in the topic's order.</summary>
    public void Read(LeaseRecord record)
    {
        switch (record.Kind)
        {
            // Retention may have deleted the claim of a leader that is still heard of.
            case LeaseKind.Claim or LeaseKind.Heartbeat when record.Term > Term:
                (Term, _leader, _resigned) = (record.Term, record.Process, false);
                Heard();
                break;
            case LeaseKind.Heartbeat when record.Term == Term:
                Heard();
                break;
            case LeaseKind.Resignation when record.Term >= Term:
                (Term, _leader, _resigned) = (record.Term, record.Process, true);
                _wroteAt = null;
                break;
            case LeaseKind.Challenge when record.Process == process && record.Term == Term:
                _challengedAt ??= time.GetTimestamp();
                break;
        }
    }

    /// <summary>What to write now, or null. Call often, when everything that the topic has was read.</summary>
    public LeaseRecord? Next()
    {
        if (IsLeading) return IsDue(heartbeat) ? Write(LeaseKind.Heartbeat, Term) : null;
        if (Term == 0 || _resigned) return IsDue(lease / 2) ? Write(LeaseKind.Claim, NextTerm) : null;

        // A leader may be unheard because Kafka was away. So it is asked for a sign first, and gets half a lease from when the question
        // stands in the topic; its own next sign is then on the same way.
        if (time.GetElapsedTime(_heardAt) < lease / 2) return null;
        if (_challengedAt is not { } challenged)
        {
            if (_askedAt is { } asked && time.GetElapsedTime(asked) < lease / 2) return null;
            _askedAt = time.GetTimestamp();
            return new LeaseRecord(LeaseKind.Challenge, Term, process);
        }

        bool isGone = time.GetElapsedTime(_heardAt) >= lease && time.GetElapsedTime(challenged) >= lease / 2;
        return isGone && IsDue(lease / 2) ? Write(LeaseKind.Claim, NextTerm) : null;
    }

    // Grows even when the clock was set back.
    private long NextTerm => Math.Max(time.GetUtcNow().ToUnixTimeMilliseconds(), Term + 1);

    private void Heard()
    {
        _heardAt = time.GetTimestamp();
        _challengedAt = _askedAt = _wroteAt = null;
        if (IsLeading) _wroteAt = time.GetTimestamp();
    }

    private bool IsDue(TimeSpan interval) => _wroteAt is not { } at || time.GetElapsedTime(at) >= interval;

    private LeaseRecord Write(LeaseKind kind, long term)
    {
        _wroteAt = time.GetTimestamp();
        return new LeaseRecord(kind, term, process);
    }
}
