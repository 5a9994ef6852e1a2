using System.Text;
using System.Text.Json;
using MarketData.Domain.Frames;

namespace MarketData.Ingest.Upstream;

/// <summary>
/// The subscriptions of one connection: sends commands one at a time, each after the answer to the one before, and watches over what
/// arrives. Subscribing runs beside receiving, which hands every frame to <see cref="Observe"/>.
/// </summary>
public sealed partial class SubscriptionSession(ExchangeConnection connection, UpstreamOptions options, TimeProvider time, ILogger logger)
{
    // Error codes after which a subscription has lost messages and is over: channel error, internal error (older), buffer overflow.
    private static readonly int[] TerminalCodes = [10, 17, 25];
    private static readonly string[] AllMarketChannels = ["ticker", "trade", "market_lifecycle_v2"];
    private static readonly string[] BookChannel = ["orderbook_delta"];
    private readonly SequenceTracker _sequences = new();
    private readonly HashSet<string> _channels = [], _books = [];
    private volatile PendingCommand? _pending;
    private long _lastId;

    /// <summary>Markets whose order book is subscribed on this connection.</summary>
    public int BookCount => _books.Count;

    /// <summary>What the exchange refused in the last <see cref="SubscribeAsync"/>, and why; null when nothing.</summary>
    public string? Refusal { get; private set; }

    /// <summary>
    /// Subscribes what is not subscribed yet: the channels that cover every market, then the order books of these markets in batches.
    /// What the exchange refuses stays out, for the next call to try again.
    /// </summary>
    /// <exception cref="TimeoutException">The exchange did not answer.</exception>
    public async Task SubscribeAsync(IEnumerable<string> tickers, CancellationToken cancellationToken)
    {
        Refusal = null;
        foreach (string channel in AllMarketChannels.Except(_channels).ToList())
        {
            if (await CommandAsync($"subscribe {channel}", new { channels = new[] { channel } }, cancellationToken)) _channels.Add(channel);
        }

        foreach (var batch in tickers.Except(_books).Chunk(options.BatchSize).ToList())
        {
            if (_books.Count > 0) await Task.Delay(TimeSpan.FromMilliseconds(options.BatchPauseMs), time, cancellationToken);
            // The default of use_yes_price is announced to change, so it is always sent. Without skip_ticker_ack each answer would list
            // every market subscribed so far.
            var parameters = new { channels = BookChannel, market_tickers = batch, use_yes_price = false, skip_ticker_ack = true };
            if (await CommandAsync($"subscribe {batch.Length} order books", parameters, cancellationToken)) _books.UnionWith(batch);
        }
    }

    /// <summary>Takes note of a received frame: an answer ends the wait of its command, sequence numbers are checked.</summary>
    /// <exception cref="SequenceException">A number is missing on a subscription: every market of it may have lost a change.</exception>
    /// <exception cref="SubscriptionLostException">The exchange has ended a subscription.</exception>
    public void Observe(ReadOnlySpan<byte> bytes, in ExchangeFrame frame)
    {
        if (frame is { Sid: > 0, Seq: { } seq }) _sequences.Take(frame.Sid, seq);
        if (frame.Type is not (FrameType.Subscribed or FrameType.Unsubscribed or FrameType.Ok or FrameType.Error)) return;

        string? refusal = null;
        if (frame.Type == FrameType.Error)
        {
            var body = frame.Body.Of(bytes);
            refusal = Encoding.UTF8.GetString(body);
            if (TerminalCodes.Contains(CodeOf(body))) throw new SubscriptionLostException(frame.Sid, refusal);
        }

        if (_pending is { } command && command.Id == frame.Id) command.Answer.TrySetResult(refusal);
        else if (refusal != null) LogError(refusal);
    }

    /// <summary>Takes note of a frame that could not be read.</summary>
    public void SkipUnreadable() => _sequences.SkipUnreadable();

    // False when the exchange refused.
    private async Task<bool> CommandAsync(string what, object parameters, CancellationToken cancellationToken)
    {
        var command = new PendingCommand(++_lastId);
        _pending = command;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(options.AnswerSeconds), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await connection.SendAsync(new { id = command.Id, cmd = "subscribe", @params = parameters }, either.Token);
            if (await command.Answer.Task.WaitAsync(either.Token) is not { } refusal) return true;
            LogRefusal(what, refusal);
            Refusal = $"{what}: {refusal}";
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The exchange did not answer '{what}' within {options.AnswerSeconds} s.");
        }
        finally
        {
            _pending = null;
        }
    }

    // Zero when there is none: one dialect sends text for the body of an error.
    private static int CodeOf(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        if (body.IsEmpty || !reader.Read() || reader.TokenType != JsonTokenType.StartObject) return 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isCode = reader.ValueTextEquals("code"u8);
            reader.Read();
            if (isCode && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int code)) return code;
            reader.Skip();
        }

        return 0;
    }

    [LoggerMessage(1, LogLevel.Error, "The exchange refused '{Command}', which is tried again with the next refresh: {Reason}")]
    private partial void LogRefusal(string command, string reason);

    [LoggerMessage(2, LogLevel.Warning, "The exchange reported an error that answers no command: {Reason}")]
    private partial void LogError(string reason);

    private sealed record PendingCommand(long Id)
    {
        /// <summary>Null when the command was accepted, else the exchange's reason.</summary>
        public TaskCompletionSource<string?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>The exchange has ended a subscription, of which messages are lost.</summary>
public sealed class SubscriptionLostException(long sid, string reason) : Exception($"The exchange ended subscription {sid}: {reason}");
