using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;

namespace MarketData.Tests.Reliability;

/// <summary>
/// A client of the gateways that does whatever comes into its mind: subscribes and unsubscribes, stops reading, drops its connection,
/// comes back to the same gateway or another, with or without what it had. All the time it keeps the books and counts every stream.
/// </summary>
internal sealed class ChaosClient : IAsyncDisposable
{
    private const string Trades = "*:trade";
    private const int MostMarkets = 4, MostFaults = 20, LongestStallMilliseconds = 1000;
    private static readonly TimeSpan ConnectAgain = TimeSpan.FromMilliseconds(200);
    private readonly Func<IReadOnlyList<Uri>> _gateways;
    private readonly string[] _markets;
    private readonly Random _random;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _running;
    private volatile bool _isQuiet;
    private int _stallMilliseconds;

    // Guards what follows.
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SequencedBook> _books = [];
    private readonly Dictionary<string, StreamPosition> _trades = [];
    private readonly List<string> _faults = [];
    private int _connections, _changes, _tradesSeen;

    /// <param name="gateways">Those that are there now.</param>
    /// <param name="markets">What it may subscribe.</param>
    /// <param name="seed">Decides what it does.</param>
    public ChaosClient(Func<IReadOnlyList<Uri>> gateways, string[] markets, int seed)
    {
        (_gateways, _markets, _random) = (gateways, markets, new Random(seed));
        _running = Task.Run(RunAsync);
    }

    /// <summary>What must never happen, since the last call.</summary>
    public IReadOnlyList<string> TakeFaults()
    {
        lock (_gate)
        {
            string[] faults = [.. _faults];
            _faults.Clear();
            return faults;
        }
    }

    /// <summary>The books that it follows now, as text.</summary>
    public Dictionary<string, string> Books()
    {
        lock (_gate) return _books.ToDictionary(book => book.Key, book => BookText.Of(book.Value));
    }

    /// <summary>What it has been through: connections, changes of books, trades.</summary>
    public (int Connections, int Changes, int Trades) Seen
    {
        get { lock (_gate) return (_connections, _changes, _tradesSeen); }
    }

    /// <summary>From now on it only reads, and comes back when it is cut off.</summary>
    public void BeQuiet() => _isQuiet = true;

    /// <summary>It does whatever it likes again.</summary>
    public void GoWild() => _isQuiet = false;

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _running;
        _ending.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                using var socket = new ClientWebSocket();
                var gateways = _gateways();
                await socket.ConnectAsync(gateways[_random.Next(gateways.Count)], _ending.Token);
                await LiveAsync(socket);
            }
            catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
            {
                // Cut off, refused, or the end of the test.
            }

            await Task.Delay(ConnectAgain, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LiveAsync(ClientWebSocket socket)
    {
        await ComeBackAsync(socket);
        using var connection = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        var acting = ActAsync(socket, connection);
        try
        {
            await ReadAsync(socket, connection.Token);
        }
        finally
        {
            await connection.CancelAsync();
            await acting;
        }
    }

    // Sometimes with what it had, sometimes afresh.
    private async Task ComeBackAsync(ClientWebSocket socket)
    {
        object resume;
        string[] channels;
        lock (_gate)
        {
            bool resumes = _random.Next(2) == 0;
            if (!resumes)
            {
                foreach (string ticker in _books.Keys.ToList()) _books[ticker] = new SequencedBook();
            }

            _connections++;
            // What was missed without resuming is no loss.
            _trades.Clear();
            channels = [Trades, .. _books.Keys.Select(BookChannel)];
            resume = _books.Where(book => resumes && book.Value.HasBase).ToDictionary(
                book => BookChannel(book.Key), book => new { streamSequence = book.Value.Position.Sequence, streamEpoch = book.Value.Position.Epoch });
        }

        await SendAsync(socket, new { action = "subscribe", channels, resume });
    }

    private async Task ActAsync(ClientWebSocket socket, CancellationTokenSource connection)
    {
        try
        {
            while (!connection.IsCancellationRequested)
            {
                await Task.Delay(_random.Next(20, 400), connection.Token);
                if (_isQuiet) continue;
                switch (_random.Next(12))
                {
                    case 0:
                        // Resets the connection.
                        await connection.CancelAsync();
                        return;
                    case 1:
                        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, connection.Token);
                        return;
                    case < 5:
                        await LeaveAsync(socket);
                        break;
                    case < 11:
                        await FollowAsync(socket);
                        break;
                    default:
                        Volatile.Write(ref _stallMilliseconds, _random.Next(LongestStallMilliseconds));
                        break;
                }
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or InvalidOperationException)
        {
            // The connection has ended.
        }
    }

    private Task FollowAsync(ClientWebSocket socket)
    {
        string ticker = _markets[_random.Next(_markets.Length)];
        lock (_gate)
        {
            if (_books.Count >= MostMarkets || !_books.TryAdd(ticker, new SequencedBook())) return Task.CompletedTask;
        }

        return SendAsync(socket, new { action = "subscribe", channel = BookChannel(ticker) });
    }

    private Task LeaveAsync(ClientWebSocket socket)
    {
        string ticker;
        lock (_gate)
        {
            if (_books.Count == 0) return Task.CompletedTask;
            ticker = _books.Keys.ElementAt(_random.Next(_books.Count));
            // What is still on its way is for nobody.
            _books.Remove(ticker);
        }

        return SendAsync(socket, new { action = "unsubscribe", channel = BookChannel(ticker) });
    }

    private async Task ReadAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[1 << 20];
        int length = 0;
        while (true)
        {
            // Reads nothing for a while, as a client does that is busy otherwise.
            if (Interlocked.Exchange(ref _stallMilliseconds, 0) is > 0 and var stall) await Task.Delay(stall, cancellationToken);
            var received = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
            if (received.MessageType == WebSocketMessageType.Close) return;
            length += received.Count;
            if (!received.EndOfMessage) continue;
            Take(buffer[..length]);
            length = 0;
        }
    }

    private void Take(byte[] message)
    {
        lock (_gate)
        {
            if (!Envelope.TryParse(message, out var envelope, out _))
            {
                TakeReply(JsonElement.Parse(message));
                return;
            }

            string ticker = Encoding.UTF8.GetString(envelope.Ticker.Of(message));
            if (envelope.Channel == MarketChannel.Trade) TakeTrade(ticker, envelope.Position);
            else if (_books.TryGetValue(ticker, out var book)) TakeBook(ticker, book, message, envelope);
        }
    }

    private void TakeBook(string ticker, SequencedBook book, byte[] message, in Envelope envelope)
    {
        // The rest of a subscription that was given up and asked for anew begins in its middle.
        if (!book.HasBase && envelope.Channel != MarketChannel.OrderbookSnapshot) return;
        if (envelope.Channel == MarketChannel.OrderbookSnapshot && book.HasBase)
        {
            // Replaces the book whatever its number is.
            _books[ticker] = book = new SequencedBook();
        }

        var before = book.Position;
        var outcome = book.Apply(message, envelope);
        if (outcome == BookOutcome.Applied) _changes++;
        else Fault($"{ticker}: {outcome} at {envelope.Position} after {before}");
    }

    private void TakeTrade(string ticker, StreamPosition position)
    {
        _tradesSeen++;
        if (_trades.TryGetValue(ticker, out var last) && (position.Epoch != last.Epoch || position.Sequence != last.Sequence + 1))
            Fault($"{ticker}: trade {position} after {last}");
        _trades[ticker] = position;
    }

    private void TakeReply(JsonElement reply)
    {
        string type = reply.GetProperty("type").GetString()!;
        if (type == "error") Fault(reply.GetRawText());
        if (type != "gap") return;
        // Told, so no loss without a word.
        var data = reply.GetProperty("data");
        string ticker = data.GetProperty("marketTicker").GetString()!;
        if (_trades.TryGetValue(ticker, out var last)) _trades[ticker] = last with { Sequence = data.GetProperty("missedTo").GetInt64() };
    }

    private void Fault(string what)
    {
        if (_faults.Count < MostFaults) _faults.Add(what);
    }

    private static string BookChannel(string ticker) => $"{ticker}:orderbook_delta";

    private Task SendAsync(ClientWebSocket socket, object request) =>
        socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(request), WebSocketMessageType.Text, endOfMessage: true, _ending.Token);
}
