using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.ServiceDefaults.Redis;
using Microsoft.Extensions.Options;

namespace MarketData.Ingest.Relay;

/// <summary>One envelope read from Kafka.</summary>
/// <param name="Partition">Where it lies.</param>
/// <param name="Offset">Where it lies.</param>
/// <param name="Value">The envelope's bytes.</param>
/// <param name="Envelope">The envelope's fields.</param>
/// <param name="Publish">False when it was published before and is read again for the books only.</param>
public readonly record struct RelayedMessage(int Partition, long Offset, byte[] Value, Envelope Envelope, bool Publish);

/// <summary>
/// Applies envelopes to the relay's books and writes them to Redis: each to its market's channel and to the channel of all, then, at
/// most once per interval, the keys of the markets that changed. Everything goes over one connection in order, so a key is never
/// ahead of what subscribers have been sent.
/// </summary>
public sealed class RelayPublisher(RelayMarkets markets, IOptions<RelayOptions> options, TimeProvider time)
{
    // Blocking on the dedicated thread of the relay's loop, which has nothing else to do; the bound is what makes a stuck Redis an error.
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);
    private static readonly byte[] AllChannel = Encoding.UTF8.GetBytes(RedisNames.AllChannel);
    private readonly SnapshotEnvelope _snapshots = new();
    private readonly List<RelayMarket> _due = [];
    private readonly TimeSpan _snapshotInterval = TimeSpan.FromMilliseconds(options.Value.SnapshotIntervalMs);
    private readonly long _expirySeconds = (long)TimeSpan.FromHours(options.Value.KeyExpiryHours).TotalSeconds;

    /// <summary>Writes a message to a connection. False when the market's book has no base in Redis either: the log must be read again.</summary>
    /// <param name="connection">Connection with no answer outstanding but those counted in <paramref name="commands"/>.</param>
    /// <param name="message">The message.</param>
    /// <param name="commands">Commands written so far, whose answers are outstanding.</param>
    /// <param name="cancellationToken">Ends the wait for Redis.</param>
    public bool Write(RespConnection connection, in RelayedMessage message, ref int commands, CancellationToken cancellationToken)
    {
        var envelope = message.Envelope;
        var market = markets.Of(message.Value, envelope, message.Partition);
        bool hasBase = true;
        switch (envelope.Channel.Stream())
        {
            case StreamKind.OrderBook:
                var outcome = market.Book.Apply(message.Value, envelope);
                if (outcome == BookOutcome.Gap && message.Publish)
                {
                    FinishCommands(connection, ref commands, cancellationToken);
                    LoadBase(connection, market, cancellationToken);
                    outcome = market.Book.Apply(message.Value, envelope);
                }

                hasBase = outcome is BookOutcome.Applied or BookOutcome.Duplicate;
                if (outcome == BookOutcome.Applied) markets.MarkDirty(market);
                break;
            case StreamKind.Ticker:
                market.LastTicker = message.Value;
                markets.MarkDirty(market);
                break;
        }

        if (!message.Publish) return true;
        connection.Write("PUBLISH"u8, market.ChannelOf(message.Value, envelope), message.Value);
        connection.Write("PUBLISH"u8, AllChannel, message.Value);
        commands += 2;
        return hasBase;
    }

    /// <summary>Writes the keys of the markets that changed and whose interval is over.</summary>
    /// <returns>The number of markets.</returns>
    public int WriteKeys(RespConnection connection, ref int commands)
    {
        _due.Clear();
        long now = time.GetTimestamp();
        markets.TakeDirty(now - (long)(_snapshotInterval.TotalSeconds * time.TimestampFrequency), _due);
        foreach (var market in _due)
        {
            market.WrittenAt = now;
            if (market.Book.HasBase)
            {
                var snapshot = _snapshots.Write(market.Ticker, market.Book, time.GetUtcNow().ToUnixTimeMilliseconds());
                connection.WriteSet(market.SnapshotKey, snapshot.Span, _expirySeconds);
                commands++;
            }

            if (market.LastTicker == null) continue;
            connection.WriteSet(market.LastTickerKey, market.LastTicker, _expirySeconds);
            commands++;
        }

        return _due.Count;
    }

    /// <summary>Sends what was written and waits for all answers.</summary>
    /// <exception cref="TimeoutException">Redis did not answer in time.</exception>
    /// <exception cref="IOException">The connection is lost.</exception>
    public void FinishCommands(RespConnection connection, ref int commands, CancellationToken cancellationToken)
    {
        if (commands == 0) return;
        int outstanding = commands;
        commands = 0;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(AnswerTimeout);
        try
        {
            FinishAsync().AsTask().GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Redis did not answer within {AnswerTimeout.TotalSeconds} s.");
        }

        async ValueTask FinishAsync()
        {
            await connection.FlushAsync(timeout.Token);
            for (int i = 0; i < outstanding; i++) (await connection.ReadAsync(timeout.Token)).ThrowIfError();
        }
    }

    // After a restart the key that the last relay wrote is the base: offsets are committed only once the keys hold what they cover.
    private static void LoadBase(RespConnection connection, RelayMarket market, CancellationToken cancellationToken)
    {
        connection.Write("GET"u8, market.SnapshotKey);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(AnswerTimeout);
        var value = ReadAsync().GetAwaiter().GetResult();
        if (value != null && Envelope.TryParse(value, out var envelope, out _)) market.Book.Apply(value, envelope);

        async Task<byte[]?> ReadAsync()
        {
            await connection.FlushAsync(timeout.Token);
            var reply = await connection.ReadAsync(timeout.Token);
            reply.ThrowIfError();
            return reply.Kind == RespKind.Bulk ? reply.Data.ToArray() : null;
        }
    }
}
