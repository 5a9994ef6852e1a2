namespace MarketData.Ingest.Leadership;

/// <summary>A time of leading, from its claim until another process leads. Thread-safe.</summary>
/// <param name="number">Unlike and above every earlier one.</param>
public sealed class Term(long number)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long Number => number;

    /// <summary>Completes when another process leads.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Completes when whoever led in this term has stopped and has nothing more to write.</summary>
    public Task Released => _released.Task;

    public void End() => _ended.TrySetResult();

    public void Release() => _released.TrySetResult();
}
