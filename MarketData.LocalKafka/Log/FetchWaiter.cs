namespace MarketData.LocalKafka.Log;

/// <summary>A fetch that waits for appends to any of its partitions.</summary>
internal sealed class FetchWaiter
{
    private readonly TaskCompletionSource _signal = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Signalled => _signal.Task;

    public void Signal() => _signal.TrySetResult();
}
