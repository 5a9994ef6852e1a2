using System.Diagnostics;
using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.ServiceDefaults.Redis;

namespace MarketData.Benchmarks.Load;

/// <summary>
/// Publishes to Redis at a steady rate, to the channel of everything and to the market's own, as the relay does. What is due together is
/// written together; after a hold-up of half a second what was due is left out, so that the rate never turns into a burst.
/// </summary>
internal sealed class LoadPublisher : IAsyncDisposable
{
    private const long KeySeconds = 3600;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(1), KeyInterval = TimeSpan.FromMilliseconds(50), HoldUp = TimeSpan.FromSeconds(0.5);
    private static readonly byte[] All = Encoding.UTF8.GetBytes(RedisNames.AllChannel);

    private readonly RespConnection _redis;
    private readonly LoadOptions _options;
    private readonly Market[] _markets;
    private readonly EnvelopeWriter _writer = new();
    private readonly SnapshotEnvelope _snapshots = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly HashSet<Market> _changed = [];
    private readonly long _epoch = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
    private int _unanswered;
    private long _sent, _leftOut;

    public LoadPublisher(RespConnection redis, LoadOptions options)
    {
        (_redis, _options) = (redis, options);
        _markets = [.. options.Markets.Select(ticker => new Market(ticker, options.Kind))];
    }

    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Messages that were due during hold-ups.</summary>
    public long LeftOut => Volatile.Read(ref _leftOut);

    /// <summary>Sets the first book of every market.</summary>
    public async Task PrepareAsync()
    {
        if (_options.Kind != MessageKind.Book) return;
        foreach (var market in _markets)
        {
            var snapshot = _writer.Write(
                Encoding.UTF8.GetBytes($$$"""{"type":"orderbook_snapshot","msg":{"market_ticker":"{{{market.Name}}}","yes_dollars_fp":[["0.4000","1000.00"]]}}"""),
                MarketChannel.OrderbookSnapshot.Utf8Name(), market.Ticker, sequence: null, new StreamPosition(_epoch, 1), Now(), Now());
            market.Apply(snapshot.Span);
            market.Sequence = 1;
            _changed.Add(market);
        }

        WriteKeys();
        await FlushAsync();
    }

    /// <summary>Publishes until <see cref="Stop"/>.</summary>
    public async Task RunAsync()
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(Interval);
        var watch = Stopwatch.StartNew();
        long done = 0;
        var keys = TimeSpan.Zero;
        while (!_ending.IsCancellationRequested)
        {
            long due = (long)(watch.Elapsed.TotalSeconds * _options.Rate);
            if (due - done > HoldUp.TotalSeconds * _options.Rate && due - done > 1)
            {
                Volatile.Write(ref _leftOut, _leftOut + due - done);
                done = due;
            }

            for (; done < due; done++) Write(_markets[_sent % _markets.Length]);
            if (watch.Elapsed - keys > KeyInterval)
            {
                keys = watch.Elapsed;
                WriteKeys();
            }

            await FlushAsync();
            await timer.WaitForNextTickAsync();
        }

        WriteKeys();
        await FlushAsync();
    }

    public void Stop() => _ending.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _redis.DisposeAsync();
        _ending.Dispose();
    }

    private static long Now() => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    private void Write(Market market)
    {
        var position = new StreamPosition(_epoch, ++market.Sequence);
        var channel = _options.Kind == MessageKind.Book ? MarketChannel.OrderbookDelta : MarketChannel.Trade;
        long now = Now();
        var envelope = _writer.Write(Payload(market), channel.Utf8Name(), market.Ticker, market.Sequence, position, now, now);
        if (_options.Kind == MessageKind.Book)
        {
            market.Apply(envelope.Span);
            _changed.Add(market);
        }

        _redis.Write("PUBLISH"u8, All, envelope.Span);
        _redis.Write("PUBLISH"u8, market.Channel, envelope.Span);
        _unanswered += 2;
        Volatile.Write(ref _sent, _sent + 1);
    }

    private byte[] Payload(Market market)
    {
        long microseconds = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        if (_options.Kind == MessageKind.Book)
        {
            string change = market.Sequence % 2 == 0 ? "1.00" : "-1.00";
            return Encoding.UTF8.GetBytes(
                $$$"""{"type":"orderbook_delta","msg":{"us":{{{microseconds}}},"market_ticker":"{{{market.Name}}}","price_dollars":"0.4000","delta_fp":"{{{change}}}","side":"yes"}}""");
        }

        // The fields around a payload take some 230 bytes.
        string head = $$$"""{"type":"trade","msg":{"us":{{{microseconds}}},"p":""" + "\"";
        int padding = Math.Max(0, _options.MessageBytes - head.Length - 3 - EnvelopeBytes(market));
        return Encoding.UTF8.GetBytes($"{head}{new string('x', padding)}\"}}}}");
    }

    private int EnvelopeBytes(Market market) => market.EnvelopeBytes ??= _writer.Write(
        default, MarketChannel.Trade.Utf8Name(), market.Ticker, market.Sequence, new StreamPosition(_epoch, market.Sequence), Now(), Now()).Length;

    private void WriteKeys()
    {
        foreach (var market in _changed)
        {
            _redis.WriteSet(market.Key, _snapshots.Write(market.Ticker, market.Book, Now()).Span, KeySeconds);
            _unanswered++;
        }

        _changed.Clear();
    }

    private async Task FlushAsync()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await _redis.FlushAsync(timeout.Token);
        for (; _unanswered > 0; _unanswered--) (await _redis.ReadAsync(timeout.Token)).ThrowIfError();
    }

    private sealed class Market(string name, MessageKind kind)
    {
        public string Name => name;

        public byte[] Ticker { get; } = Encoding.UTF8.GetBytes(name);

        public byte[] Channel { get; } = Encoding.UTF8.GetBytes(RedisNames.Channel(name, kind == MessageKind.Book ? "orderbook_delta" : "trade"));

        public byte[] Key { get; } = Encoding.UTF8.GetBytes(RedisNames.SnapshotKey(name));

        public SequencedBook Book { get; } = new();

        public long Sequence { get; set; }

        /// <summary>What an envelope adds to its payload; null until it is known.</summary>
        public int? EnvelopeBytes { get; set; }

        public void Apply(ReadOnlySpan<byte> bytes)
        {
            if (!Envelope.TryParse(bytes, out var envelope, out var error)) throw new InvalidDataException(error);
            if (Book.Apply(bytes, envelope) is var outcome and not BookOutcome.Applied) throw new InvalidDataException($"The publisher's own book: {outcome}.");
        }
    }
}
