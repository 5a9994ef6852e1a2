namespace MarketData.LocalKafka.Log;

/// <summary>
/// Group commit: appends that wait at the same time share one fsync. While one flush runs, those that come meanwhile gather for the next.
/// </summary>
/// <param name="onFlushed">Told up to which offset the log is on disk.</param>
/// <param name="onFailed">Told that the disk failed. What it lost cannot be known, so nothing more may be acknowledged.</param>
internal sealed class DiskFlush(Action<long> onFlushed, Action<IOException> onFailed) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly HashSet<LogSegment> _dirty = [];
    private TaskCompletionSource<bool>? _gathering;
    private long _upTo;
    private bool _isRunning;
    private bool _isDisposed;

    /// <summary>Waits until a segment is on disk.</summary>
    /// <param name="segment">The segment just written to.</param>
    /// <param name="upTo">The offset after the write.</param>
    /// <returns>False when the disk failed, or the log was closed first.</returns>
    public Task<bool> FlushAsync(LogSegment segment, long upTo)
    {
        lock (_lock)
        {
            if (_isDisposed) return Task.FromResult(false);
            _dirty.Add(segment);
            _upTo = Math.Max(_upTo, upTo);
            _gathering ??= new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_isRunning)
            {
                _isRunning = true;
                ThreadPool.UnsafeQueueUserWorkItem(static flush => flush.Run(), this, preferLocal: false);
            }
            return _gathering.Task;
        }
    }

    public void Dispose()
    {
        lock (_lock) _isDisposed = true;
    }

    private void Run()
    {
        while (true)
        {
            LogSegment[] segments;
            TaskCompletionSource<bool> waiting;
            long upTo;
            lock (_lock)
            {
                if (_gathering is null)
                {
                    _isRunning = false;
                    return;
                }
                (segments, waiting, upTo) = ([.. _dirty], _gathering, _upTo);
                _dirty.Clear();
                _gathering = null;
            }
            var flushed = TryFlush(segments);
            if (flushed) onFlushed(upTo);
            waiting.SetResult(flushed);
        }
    }

    private bool TryFlush(LogSegment[] segments)
    {
        try
        {
            foreach (var segment in segments) RandomAccess.FlushToDisk(segment.File);
            return true;
        }
        catch (IOException e)
        {
            onFailed(e);
            return false;
        }
        catch (ObjectDisposedException)
        {
            // The log was closed while appends waited; their clients get an error and send again after the restart.
            return false;
        }
    }
}
