using System.Collections.Concurrent;
using System.Text;
using MarketData.Domain.Frames;

namespace MarketData.Ingest.Upstream;

/// <summary>
/// The subscriptions of one connection: sends commands one at a time, each after the answer to the one before, and checks the sequence
/// numbers of everything that arrives. Subscribing runs beside receiving, which hands every frame to <see cref="Observe"/>.
/// </summary>
public sealed partial class SubscriptionSession(ExchangeConnection connection, UpstreamOptions options, TimeProvider time, ILogger logger)
{
    private static readonly string[] AllMarketChannels = ["ticker", "trade", "market_lifecycle_v2"];
    private static readonly string[] BookChannel = ["orderbook_delta"];
    private readonly ConcurrentDictionary<long, PendingCommand> _pending = new();
    private readonly Dictionary<long, long> _lastSeq = [];
    private readonly HashSet<string> _books = [];
    private long _lastId;

    /// <summary>Markets whose order book is subscribed on this connection.</summary>
    public int BookCount { get; private set; }

    /// <summary>Subscribes the channels that cover every market.</summary>
    /// <exception cref="TimeoutException">The exchange did not answer.</exception>
    public Task SubscribeAllMarketsAsync(CancellationToken cancellationToken) =>
        CommandAsync("subscribe", new { channels = AllMarketChannels }, AllMarketChannels.Length, cancellationToken);

    /// <summary>Subscribes the order books of the markets that are not subscribed yet, in batches.</summary>
    /// <exception cref="TimeoutException">The exchange did not answer.</exception>
    public async Task SubscribeBooksAsync(IEnumerable<string> tickers, CancellationToken cancellationToken)
    {
        foreach (var batch in tickers.Where(ticker => !_books.Contains(ticker)).Chunk(options.BatchSize).ToList())
        {
            if (BookCount > 0) await Task.Delay(TimeSpan.FromMilliseconds(options.BatchPauseMs), time, cancellationToken);
            // The default of use_yes_price is announced to change, so it is always sent.
            await CommandAsync("subscribe", new { channels = BookChannel, market_tickers = batch, use_yes_price = false }, 1, cancellationToken);
            _books.UnionWith(batch);
            BookCount = _books.Count;
        }
    }

    /// <summary>Takes note of a received frame: answers end the wait of their command, sequence numbers are checked.</summary>
    /// <exception cref="SequenceGapException">A number is missing on a subscription: every market of it may have lost a change.</exception>
    public void Observe(ReadOnlySpan<byte> bytes, in ExchangeFrame frame)
    {
        if (frame is { Sid: > 0, Seq: { } seq })
        {
            // The first frame seen on a subscription sets the base. A number at or below the last is a repetition, not a loss.
            if (_lastSeq.TryGetValue(frame.Sid, out long last) && seq > last + 1) throw new SequenceGapException(frame.Sid, last, seq);
            _lastSeq[frame.Sid] = Math.Max(last, seq);
        }

        if (frame.Type == FrameType.Error) LogRefusal(frame.Id, Encoding.UTF8.GetString(frame.Body.Of(bytes)));
        if (frame.Id == 0 || !_pending.TryGetValue(frame.Id, out var command)) return;
        // Several channels in one command are answered one by one.
        if (Interlocked.Decrement(ref command.Expected) <= 0) command.Answered.TrySetResult();
    }

    private async Task CommandAsync(string name, object parameters, int answers, CancellationToken cancellationToken)
    {
        long id = Interlocked.Increment(ref _lastId);
        var command = new PendingCommand { Expected = answers };
        _pending[id] = command;
        try
        {
            await connection.SendAsync(new { id, cmd = name, @params = parameters }, cancellationToken);
            await command.Answered.Task.WaitAsync(TimeSpan.FromSeconds(options.AnswerSeconds), time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"The exchange did not answer the command {name} (id {id}) within {options.AnswerSeconds} s.");
        }
        finally
        {
            _pending.TryRemove(id, out _);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The exchange refused command {Id}: {Reason}")]
    private partial void LogRefusal(long id, string reason);

    private sealed class PendingCommand
    {
        public int Expected;

        public TaskCompletionSource Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>A hole in a subscription's sequence numbers.</summary>
public sealed class SequenceGapException(long sid, long last, long seq)
    : Exception($"Subscription {sid} went from sequence number {last} to {seq}: {seq - last - 1} frames are missing.");
