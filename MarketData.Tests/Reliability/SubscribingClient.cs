using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.ServiceDefaults.Redis;
using StackExchange.Redis;
using StreamPosition = MarketData.Domain.Envelopes.StreamPosition;

namespace MarketData.Tests.Reliability;

/// <summary>
/// A client of Redis as the documentation tells it to be: subscribes, then reads the snapshot keys, then applies what came meanwhile; what
/// does not follow on a book makes it read the key again. Comes back when Redis does.
/// </summary>
internal sealed class SubscribingClient : IAsyncDisposable
{
    private const int MostBuffered = 100_000;

    // A key is written up to 500 ms after the publication of what it holds, so it is looked at a second time.
    private static readonly TimeSpan KeysSettle = TimeSpan.FromSeconds(1), LookAgain = TimeSpan.FromMilliseconds(50);
    private readonly string _redis;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _running;

    // Guards everything below.
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Market> _markets = [];
    private readonly StreamNumbers _numbers = new();

    public SubscribingClient(string redis)
    {
        _redis = redis;
        _running = Task.Run(RunAsync);
    }

    /// <summary>Holes in what was published while the subscription stood, since the last call.</summary>
    public IReadOnlyList<string> TakeHoles()
    {
        lock (_gate) return _numbers.TakeHoles();
    }

    /// <summary>Whether everything up to these numbers was published to it.</summary>
    public bool HasCome(IReadOnlyDictionary<(string Ticker, StreamKind Stream), StreamPosition> positions)
    {
        lock (_gate) return positions.All(stream => _numbers.Last.TryGetValue(stream.Key, out var last) && last >= stream.Value);
    }

    /// <summary>The book as text; begins to follow the market if it does not yet.</summary>
    public string BookOf(string ticker)
    {
        lock (_gate) return BookText.Of(Of(ticker).Book);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _running;
        _ending.Dispose();
    }

    private Market Of(string ticker)
    {
        if (!_markets.TryGetValue(ticker, out var market)) _markets[ticker] = market = new Market { LookUntil = DateTime.UtcNow + KeysSettle };
        return market;
    }

    private async Task RunAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                await using var subscription = await ConnectAsync();
                await using var keys = await ConnectAsync();
                subscription.Write("PSUBSCRIBE"u8, "market-data:*:*"u8);
                await subscription.FlushAsync(_ending.Token);
                (await subscription.ReadAsync(_ending.Token)).ThrowIfError();
                lock (_gate)
                {
                    _numbers.Restart();
                    foreach (var market in _markets.Values) market.LookUntil = DateTime.UtcNow + KeysSettle;
                }

                await await Task.WhenAny(ListenAsync(subscription), ReadKeysAsync(keys));
            }
            catch (Exception exception) when (exception is IOException or RedisException or TimeoutException or OperationCanceledException)
            {
                await Task.Delay(LookAgain, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private Task<RespConnection> ConnectAsync() => RespConnection.ConnectAsync(ConfigurationOptions.Parse(_redis), "client", _ending.Token);

    private async Task ListenAsync(RespConnection subscription)
    {
        while (true)
        {
            var message = (await subscription.ReadAsync(_ending.Token)).Items;
            byte[] value = message.Span[3].Data.ToArray();
            if (!Envelope.TryParse(value, out var envelope, out var error)) throw new InvalidDataException(error);
            lock (_gate) Take(value, envelope);
        }
    }

    private void Take(byte[] value, in Envelope envelope)
    {
        if (!_numbers.Take(value, envelope) || envelope.Channel.Stream() != StreamKind.OrderBook) return;
        var market = Of(Encoding.UTF8.GetString(envelope.Ticker.Of(value)));
        if (market.Buffered.Count == 0 && market.Book.Apply(value, envelope) != BookOutcome.Gap) return;
        if (market.Buffered.Count == MostBuffered) throw new InvalidDataException("a book has had no base for too long");
        market.Buffered.Add(value);
    }

    private async Task ReadKeysAsync(RespConnection keys)
    {
        while (true)
        {
            List<string> incomplete;
            lock (_gate) incomplete = [.. _markets.Where(market => market.Value.NeedsKey).Select(market => market.Key)];
            foreach (string ticker in incomplete)
            {
                keys.Write("GET"u8, Encoding.UTF8.GetBytes(RedisNames.SnapshotKey(ticker)));
                await keys.FlushAsync(_ending.Token);
                var reply = await keys.ReadAsync(_ending.Token);
                reply.ThrowIfError();
                if (reply.Kind != RespKind.Bulk) continue;
                lock (_gate) _markets[ticker].Complete(reply.Data.ToArray());
            }

            await Task.Delay(LookAgain, _ending.Token);
        }
    }

    private sealed class Market
    {
        public SequencedBook Book { get; } = new();

        /// <summary>What came and does not follow on the book.</summary>
        public List<byte[]> Buffered { get; } = [];

        public DateTime LookUntil { get; set; }

        public bool NeedsKey => Buffered.Count > 0 || DateTime.UtcNow < LookUntil;

        public void Complete(byte[] key)
        {
            Apply(key);
            while (Buffered.Count > 0 && Apply(Buffered[0]) != BookOutcome.Gap) Buffered.RemoveAt(0);
        }

        private BookOutcome Apply(byte[] value) =>
            Envelope.TryParse(value, out var envelope, out var error) ? Book.Apply(value, envelope) : throw new InvalidDataException(error);
    }
}
