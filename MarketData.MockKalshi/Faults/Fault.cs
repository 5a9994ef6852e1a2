namespace MarketData.MockKalshi.Faults;

/// <summary>How a fault stands.</summary>
internal enum FaultState
{
    /// <summary>Waits for its next occasion.</summary>
    Active,

    /// <summary>Has fired as often as it should.</summary>
    Spent,

    /// <summary>Taken away; what lasted of it has ended.</summary>
    Removed,
}

/// <summary>
/// Something that goes wrong on purpose. A kind is a class; the <see cref="FaultRegistry"/> counts its occasions and decides on which
/// of them it fires.
/// </summary>
internal abstract class Fault
{
    private readonly TaskCompletionSource _removed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A fault that holds from the moment it is added until it is removed.</summary>
    protected Fault(FaultFields fields)
    {
        Kind = fields.Kind;
        Given = fields.Given;
    }

    /// <summary>A fault that fires on some of its occasions, as <c>after</c> and <c>count</c> say.</summary>
    /// <param name="fields">Its description.</param>
    /// <param name="otherwiseCount">How often it fires when the description does not say; 0 for without end.</param>
    /// <param name="mostCount">How often it may fire at most; a kind with such a limit has no "without end".</param>
    protected Fault(FaultFields fields, int otherwiseCount, int mostCount = int.MaxValue)
        : this(fields)
    {
        After = fields.Number("after", 0, 0, int.MaxValue);
        Count = fields.Number("count", otherwiseCount, mostCount == int.MaxValue ? 0 : 1, mostCount);
    }

    public string Kind { get; }

    /// <summary>The description's fields as they were given.</summary>
    public IReadOnlyDictionary<string, string> Given { get; }

    /// <summary>Occasions that pass before the first on which it fires.</summary>
    public int After { get; }

    /// <summary>How often it fires; 0 for without end.</summary>
    public int Count { get; }

    /// <summary>Counts from 1; set when it is added.</summary>
    public int Id { get; set; }

    /// <summary>This and the two counters are the registry's, under its lock.</summary>
    public FaultState State { get; private set; }

    /// <summary>Occasions so far.</summary>
    public long Seen { get; private set; }

    public long Fired { get; private set; }

    /// <summary>Completes when the fault is removed: for what lasts longer than the moment in which it fires.</summary>
    public Task Removed => _removed.Task;

    /// <summary>Counts an occasion; true when the fault fires on it.</summary>
    public bool Advance()
    {
        if (State != FaultState.Active || ++Seen <= After) return false;
        Fired++;
        if (Fired == Count) State = FaultState.Spent;
        return true;
    }

    public void Remove()
    {
        State = FaultState.Removed;
        _removed.TrySetResult();
    }
}
