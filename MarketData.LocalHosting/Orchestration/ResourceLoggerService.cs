using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A line that a process printed.</summary>
/// <param name="LineNumber">1, 2, 3 … within its resource.</param>
/// <param name="Content">The line without its end.</param>
/// <param name="IsErrorMessage">Whether it came from standard error.</param>
public readonly record struct LogLine(int LineNumber, string Content, bool IsErrorMessage);

/// <summary>The last 1,000 lines that each resource printed.</summary>
public sealed class ResourceLoggerService
{
    private const int Capacity = 1_000;
    private const int TailLength = 20;
    private readonly ConcurrentDictionary<string, Log> _logs = new(StringComparer.OrdinalIgnoreCase);

    internal ResourceLoggerService() { }

    /// <summary>Called for every line, with the resource's name or that of its replica.</summary>
    internal event Action<string, string>? LineWritten;

    /// <summary>What the resource printed up to now, in one batch; of one replica among several under <c>{name}-{1…n}</c>.</summary>
#pragma warning disable CS1998 // Aspire's signature: there the lines come from another process
    public async IAsyncEnumerable<IReadOnlyList<LogLine>> GetAllAsync(string resourceName, [EnumeratorCancellation] CancellationToken cancellationToken = default)
#pragma warning restore CS1998
    {
        cancellationToken.ThrowIfCancellationRequested();
        yield return Lines(resourceName);
    }

    internal void Write(string resourceId, string line, bool isError)
    {
        var log = _logs.GetOrAdd(resourceId, _ => new Log());
        lock (log)
        {
            log.Lines.Enqueue(new(++log.Count, line, isError));
            if (log.Lines.Count > Capacity)
                log.Lines.Dequeue();
        }
        LineWritten?.Invoke(resourceId, line);
    }

    /// <summary>The last lines, each on a line of its own and indented, to stand below an error message; empty if there are none.</summary>
    internal string Tail(string resourceId)
    {
        var lines = Lines(resourceId);
        return lines.Length == 0 ? "" : $"; its last lines:{string.Concat(lines.TakeLast(TailLength).Select(l => $"\n    {l.Content}"))}";
    }

    private LogLine[] Lines(string resourceId)
    {
        if (!_logs.TryGetValue(resourceId, out var log))
            return [];
        lock (log)
            return [.. log.Lines];
    }

    /// <summary>Locked while it is changed or copied: two pumps write each.</summary>
    private sealed class Log
    {
        public Queue<LogLine> Lines { get; } = new();

        public int Count { get; set; }
    }
}
