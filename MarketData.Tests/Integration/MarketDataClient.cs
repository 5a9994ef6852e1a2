using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace MarketData.Tests.Integration;

/// <summary>A data frame as it came, with the fields that tests ask for.</summary>
internal sealed record ReceivedEnvelope(string Text, string? Ticker, string Channel);

/// <summary>
/// A client of the gateway that believes nothing: it rebuilds every book from what it is sent and checks that each stream is numbered
/// without a hole, where only a snapshot may jump.
/// </summary>
internal sealed class MarketDataClient : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);
    private readonly ClientWebSocket _socket = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<string, ClientBook> _books = new();
    private readonly Dictionary<(string Ticker, string Stream), (long Epoch, long Sequence)> _positions = [];
    private readonly Lock _lock = new();
    private readonly List<string> _faults = [];
    private readonly List<ReceivedEnvelope> _envelopes = [];
    private Task _receiving = Task.CompletedTask;
    private string? _reply;
    private int _firstOfLastEpoch;
    private long _lastEpoch;

    /// <summary>What was wrong with the stream; empty when nothing was.</summary>
    public IReadOnlyList<string> Faults
    {
        get
        {
            lock (_lock) return [.. _faults];
        }
    }

    /// <summary>The envelopes so far, in order.</summary>
    public IReadOnlyList<ReceivedEnvelope> Envelopes
    {
        get
        {
            lock (_lock) return [.. _envelopes];
        }
    }

    public int Count
    {
        get
        {
            lock (_lock) return _envelopes.Count;
        }
    }

    /// <summary>Envelopes of the newest epoch: what the last started ingest process has published.</summary>
    public int CountOfLastEpoch
    {
        get
        {
            lock (_lock) return _envelopes.Count - _firstOfLastEpoch;
        }
    }

    public static async Task<MarketDataClient> ConnectAsync(Uri gateway, params string[] channels)
    {
        var client = new MarketDataClient();
        using var timeout = new CancellationTokenSource(Timeout);
        await client._socket.ConnectAsync(new UriBuilder(gateway) { Scheme = "ws", Path = "/ws/market-data" }.Uri, timeout.Token);
        client._receiving = client.ReceiveAsync();
        var request = JsonSerializer.SerializeToUtf8Bytes(new { action = "subscribe", channels });
        await client._socket.SendAsync(request, WebSocketMessageType.Text, endOfMessage: true, timeout.Token);
        await Eventually.TrueAsync(() => client._reply == "subscribed", Timeout, () => $"the subscription was confirmed; the last reply was {client._reply}");
        return client;
    }

    /// <summary>Forgets the envelopes of earlier epochs.</summary>
    public void KeepLastEpoch()
    {
        lock (_lock)
        {
            _envelopes.RemoveRange(0, _firstOfLastEpoch);
            _firstOfLastEpoch = 0;
        }
    }

    /// <summary>Waits until each market's book is the expected one.</summary>
    public async Task HoldsAsync(IReadOnlyDictionary<string, ClientBook> expected)
    {
        await Eventually.TrueAsync(() => expected.All(book => Book(book.Key) == book.Value.ToString()), Timeout, Difference);

        string Difference()
        {
            var wrong = expected.First(book => Book(book.Key) != book.Value.ToString());
            return $"every book was right; {wrong.Key} is {Book(wrong.Key)} and should be {wrong.Value}; {Count} envelopes, faults: {string.Join("; ", Faults)}";
        }
    }

    public string Book(string ticker)
    {
        if (!_books.TryGetValue(ticker, out var book)) return "absent";
        lock (_lock) return book.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
        _ending.Dispose();
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[1 << 20];
        try
        {
            while (true)
            {
                int length = 0;
                ValueWebSocketReceiveResult received;
                do
                {
                    received = await _socket.ReceiveAsync(buffer.AsMemory(length), _ending.Token);
                    length += received.Count;
                }
                while (!received.EndOfMessage);
                if (received.MessageType == WebSocketMessageType.Close) throw new WebSocketException($"closed: {_socket.CloseStatus} {_socket.CloseStatusDescription}");
                Take(Encoding.UTF8.GetString(buffer, 0, length));
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            lock (_lock) _faults.Add(exception.Message);
        }
    }

    private void Take(string text)
    {
        using var document = JsonDocument.Parse(text);
        var message = document.RootElement;
        lock (_lock)
        {
            if (message.TryGetProperty("type", out var type))
            {
                _reply = type.GetString();
                return;
            }

            var channel = message.GetProperty("channel").GetString()!;
            var ticker = message.GetProperty("marketTicker").GetString();
            long epoch = message.GetProperty("streamEpoch").GetInt64();
            if (epoch > _lastEpoch) (_lastEpoch, _firstOfLastEpoch) = (epoch, _envelopes.Count);
            _envelopes.Add(new ReceivedEnvelope(text, ticker, channel));
            Check(ticker ?? "all-markets", channel, epoch, message.GetProperty("streamSequence").GetInt64());
            if (channel.StartsWith("orderbook", StringComparison.Ordinal))
                _books.GetOrAdd(ticker!, _ => new ClientBook()).Apply(channel, message.GetProperty("payload").GetProperty("msg"));
        }
    }

    private void Check(string ticker, string channel, long epoch, long sequence)
    {
        var stream = (ticker, RecordedSession.StreamOf(channel));
        bool follows = channel == "orderbook_snapshot"
            || (_positions.TryGetValue(stream, out var last) ? (epoch, sequence) == (last.Epoch, last.Sequence + 1) || (epoch > last.Epoch && sequence == 1)
                : channel != "orderbook_delta");
        if (!follows) _faults.Add($"{channel} of {ticker} went from {_positions.GetValueOrDefault(stream)} to {(epoch, sequence)}");
        _positions[stream] = (epoch, sequence);
    }
}
