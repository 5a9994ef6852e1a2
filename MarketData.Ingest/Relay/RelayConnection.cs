using MarketData.ServiceDefaults.Redis;

namespace MarketData.Ingest.Relay;

/// <summary>
/// The relay's connection to Redis: commands are collected, sent together and answered in order. Every wait is on the relay's own
/// thread, which has nothing else to do, and ends after 5 s.
/// </summary>
public sealed class RelayConnection(RespConnection connection, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5), IdleTime = TimeSpan.FromSeconds(1);

    // What is collected goes out in parts of this size, so that Redis works on one part while the relay makes the next.
    private const int PartBytes = 64 << 10;
    private int _unanswered;
    private long _answeredAt = time.GetTimestamp();

    public void Publish(ReadOnlySpan<byte> channel, ReadOnlySpan<byte> value)
    {
        connection.Write("PUBLISH"u8, channel, value);
        _unanswered++;
        if (connection.PendingBytes >= PartBytes) Bounded(token => connection.FlushAsync(token).AsTask());
    }

    /// <summary>Adds to the end of a list that keeps its last elements and expires.</summary>
    public void Append(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, int keep, TimeSpan expiry) =>
        _unanswered += connection.WriteAppend(key, value, keep, (long)expiry.TotalSeconds);

    /// <summary>Sets a key that does not expire.</summary>
    public void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        connection.Write("SET"u8, key, value);
        _unanswered++;
    }

    /// <summary>Sets a key that expires.</summary>
    public void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan expiry)
    {
        connection.WriteSet(key, value, (long)expiry.TotalSeconds);
        _unanswered++;
    }

    /// <summary>The value of a key, null when it is absent. Waits for what was collected before, too.</summary>
    /// <exception cref="TimeoutException">Redis did not answer in time.</exception>
    /// <exception cref="IOException">The connection is lost.</exception>
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        Finish();
        connection.Write("GET"u8, key);
        _unanswered++;
        byte[]? value = null;
        Exchange(reply => value = reply.Kind == RespKind.Bulk ? reply.Data.ToArray() : null);
        return value;
    }

    /// <summary>Sends what was collected and waits for all answers. On an idle connection, asks whether Redis is still the one it was.</summary>
    /// <exception cref="TimeoutException">Redis did not answer in time.</exception>
    /// <exception cref="IOException">The connection is lost.</exception>
    /// <exception cref="StackExchange.Redis.RedisException">Redis refused a command.</exception>
    public void Finish()
    {
        if (_unanswered == 0 && time.GetElapsedTime(_answeredAt) > IdleTime)
        {
            connection.Write("PING"u8, "relay"u8);
            _unanswered++;
        }

        if (_unanswered > 0) Exchange(static _ => { });
    }

    public void Dispose() => connection.DisposeAsync().AsTask().GetAwaiter().GetResult();

    private void Exchange(Action<RespReply> answered)
    {
        Bounded(token => ExchangeAsync(answered, token));
        _answeredAt = time.GetTimestamp();
    }

    private async Task ExchangeAsync(Action<RespReply> answered, CancellationToken cancellationToken)
    {
        await connection.FlushAsync(cancellationToken);
        for (; _unanswered > 0; _unanswered--)
        {
            var reply = await connection.ReadAsync(cancellationToken);
            reply.ThrowIfError();
            answered(reply);
        }
    }

    private void Bounded(Func<CancellationToken, Task> exchange)
    {
        using var timeout = new CancellationTokenSource(AnswerTimeout, time);
        try
        {
            exchange(timeout.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Redis did not answer within {AnswerTimeout.TotalSeconds} s.");
        }
    }
}
