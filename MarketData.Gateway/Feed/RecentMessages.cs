using MarketData.Domain.Envelopes;
using MarketData.Gateway.Fanout;

namespace MarketData.Gateway.Feed;

/// <summary>
/// Where the last messages of one stream lie in the log, without a hole, for clients that come back. Bounded by number and age, and by
/// what the log still holds. Belongs to the feed's loop.
/// </summary>
public sealed class RecentMessages
{
    private const int MaxMessages = 1000;
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(60);
    private readonly Queue<(StreamPosition Position, long Entry, long At)> _messages = new();

    /// <summary>Takes a message that was added to the log.</summary>
    /// <param name="position">Its number.</param>
    /// <param name="entry">Its place in the log.</param>
    /// <param name="log">The log.</param>
    /// <param name="time">Its age counts from now.</param>
    public void Add(StreamPosition position, long entry, FeedLog log, TimeProvider time)
    {
        _messages.Enqueue((position, entry, time.GetTimestamp()));
        Trim(log, time);
    }

    public void Clear() => _messages.Clear();

    /// <summary>The places of all messages behind a number; null when some of them are not there any more.</summary>
    public IReadOnlyList<long>? After(long sequence, FeedLog log, TimeProvider time)
    {
        Trim(log, time);
        if (!_messages.TryPeek(out var first) || first.Position.Sequence > sequence + 1) return null;
        return [.. _messages.Where(message => message.Position.Sequence > sequence).Select(message => message.Entry)];
    }

    /// <summary>The places of the last messages, with their numbers.</summary>
    public IReadOnlyList<(StreamPosition Position, long Entry)> Last(int count, FeedLog log, TimeProvider time)
    {
        Trim(log, time);
        return [.. _messages.TakeLast(count).Select(message => (message.Position, message.Entry))];
    }

    /// <summary>Whether so many are there.</summary>
    public bool Has(int count, FeedLog log, TimeProvider time)
    {
        Trim(log, time);
        return _messages.Count >= count;
    }

    private void Trim(FeedLog log, TimeProvider time)
    {
        while (_messages.TryPeek(out var first) && (_messages.Count > MaxMessages || first.Entry < log.Oldest || time.GetElapsedTime(first.At) > MaxAge)) _messages.Dequeue();
    }
}
