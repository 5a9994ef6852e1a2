using System.Globalization;
using System.Text;
using MarketData.Domain.Books;
using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Domain.Numbers;
using MarketData.ServiceDefaults.Redis;
using MarketData.Tests.Unit.Domain;

namespace MarketData.Tests.Unit.Gateway;

/// <summary>
/// Publishes one market to Redis as the relay does: each envelope to the market's channel and to the channel of all. The book is the
/// truth that clients must arrive at.
/// </summary>
internal sealed class MarketSource(RespConnection redis, string ticker, int seed = 1)
{
    private readonly Random _random = new(seed);
    private readonly EnvelopeWriter _writer = new();
    private readonly SnapshotEnvelope _snapshots = new();
    private readonly Dictionary<MarketChannel, long> _others = [];

    /// <summary>Replaced when Redis was restarted.</summary>
    public RespConnection Redis { get; set; } = redis;

    public string Ticker => ticker;

    /// <summary>Begins a new count when it changes.</summary>
    public long Epoch { get; private set; } = 1;

    public SequencedBook Book { get; private set; } = new();

    public string BookText => Reading.Text(Book.Book);

    private long Number => Book.Position.Sequence;

    /// <summary>Waits until the gateway has subscribed one of the market's Redis channels, or that of all.</summary>
    public Task SubscribedAsync(string type) => SubscribedToAsync(RedisNames.Channel(ticker, type));

    public Task AllSubscribedAsync() => SubscribedToAsync(RedisNames.AllChannel);

    /// <summary>Counts from 1 again, as after a restart that found no log.</summary>
    public void BeginEpoch()
    {
        Epoch++;
        Book = new SequencedBook();
    }

    public byte[] Snapshot()
    {
        var levels = new StringBuilder();
        foreach (var (key, offset) in new[] { ("yes_dollars_fp", 1000), ("no_dollars_fp", 6000) })
        {
            levels.Append(CultureInfo.InvariantCulture, $",\"{key}\":[");
            for (int i = 0; i < 5; i++)
                levels.Append(CultureInfo.InvariantCulture, $"{(i > 0 ? "," : "")}[\"{Price(offset + 100 * i)}\",\"{_random.Next(1, 5000)}.00\"]");
            levels.Append(']');
        }

        return Apply("orderbook_snapshot", $$"""{"type":"orderbook_snapshot","sid":1,"seq":{{Number + 1}},"msg":{"market_ticker":"{{ticker}}","market_id":"id"{{levels}} } }""");
    }

    /// <summary>A random change that is valid on the current book.</summary>
    public byte[] Delta()
    {
        var side = _random.Next(2) == 0 ? Side.Yes : Side.No;
        int price = 100 * _random.Next(1, 99);
        long there = Book.Book.CountAt(side, price);
        long change = there > 0 && _random.Next(2) == 0 ? -there / _random.Next(1, 3) : _random.Next(1, 100_000);
        if (change == 0) change = 1;
        return Apply(
            "orderbook_delta",
            $$"""{"type":"orderbook_delta","sid":1,"seq":{{Number + 1}},"msg":{"market_ticker":"{{ticker}}","price_dollars":"{{Price(price)}}","delta_fp":"{{Count(change)}}","side":"{{(side == Side.Yes ? "yes" : "no")}}"} }""");
    }

    /// <summary>An envelope of a stream that has no state: a trade, a ticker, a life-cycle event.</summary>
    public byte[] Other(MarketChannel channel, int padding = 0)
    {
        long number = _others[channel] = _others.GetValueOrDefault(channel) + 1;
        var name = Encoding.UTF8.GetString(channel.Utf8Name());
        var frame = $$"""{"type":"{{name}}","sid":2,"msg":{"market_ticker":"{{ticker}}","n":{{number}},"padding":"{{new string('x', padding)}}"} }""";
        return _writer.Write(Encoding.UTF8.GetBytes(frame), channel.Utf8Name(), Encoding.UTF8.GetBytes(ticker), null, new StreamPosition(Epoch, number), 1, 2).ToArray();
    }

    public async Task PublishAsync(params byte[][] envelopes)
    {
        foreach (var envelope in envelopes)
        {
            Assert.True(Envelope.TryParse(envelope, out var read, out var error), error);
            var channel = RedisNames.Channel(ticker, Encoding.UTF8.GetString(read.Channel.Utf8Name()));
            Redis.Write("PUBLISH"u8, Encoding.UTF8.GetBytes(channel), envelope);
            Redis.Write("PUBLISH"u8, Encoding.UTF8.GetBytes(RedisNames.AllChannel), envelope);
        }

        await FinishAsync(2 * envelopes.Length);
    }

    /// <summary>Adds trades to the list of the last ones.</summary>
    public async Task ListAsync(params byte[][] trades)
    {
        int commands = trades.Sum(trade => Redis.WriteAppend(Encoding.UTF8.GetBytes(RedisNames.TradesKey(ticker)), trade, RedisNames.MaxTrades, 3600));
        await FinishAsync(commands);
    }

    /// <summary>Writes the book to its snapshot key.</summary>
    public Task WriteKeyAsync() => WriteKeyAsync(KeyValue());

    /// <summary>The current value of the snapshot key, to be written later.</summary>
    public byte[] KeyValue() => _snapshots.Write(Encoding.UTF8.GetBytes(ticker), Book, 3).ToArray();

    public async Task WriteKeyAsync(byte[] value)
    {
        Redis.WriteSet(Encoding.UTF8.GetBytes(RedisNames.SnapshotKey(ticker)), value, 3600);
        await FinishAsync(1);
    }

    private static string Price(int price)
    {
        Span<byte> text = stackalloc byte[FixedPoint.MaxFormattedLength];
        return Encoding.ASCII.GetString(text[..FixedPoint.FormatPrice(price, text)]);
    }

    private static string Count(long count)
    {
        Span<byte> text = stackalloc byte[FixedPoint.MaxFormattedLength];
        var unsigned = Encoding.ASCII.GetString(text[..FixedPoint.FormatCount(Math.Abs(count), text)]);
        return count < 0 ? "-" + unsigned : unsigned;
    }

    private byte[] Apply(string channel, string frame)
    {
        var envelope = _writer.Write(
            Encoding.UTF8.GetBytes(frame), Encoding.UTF8.GetBytes(channel), Encoding.UTF8.GetBytes(ticker), Number + 1, new StreamPosition(Epoch, Number + 1), 1, 2).ToArray();
        Assert.Equal(BookOutcome.Applied, Book.Apply(envelope, Reading.Envelope(envelope)));
        return envelope;
    }

    private async Task FinishAsync(int commands)
    {
        await Redis.FlushAsync(TestContext.Current.CancellationToken);
        for (int i = 0; i < commands; i++) (await Redis.ReadAsync(TestContext.Current.CancellationToken)).ThrowIfError();
    }

    private async Task SubscribedToAsync(string channel)
    {
        long subscribers = 0;
        await Eventually.TrueAsync(
            () =>
            {
                Redis.Write("PUBSUB"u8, "NUMSUB"u8, Encoding.UTF8.GetBytes(channel));
                Redis.FlushAsync(TestContext.Current.CancellationToken).AsTask().GetAwaiter().GetResult();
                subscribers = Redis.ReadAsync(TestContext.Current.CancellationToken).AsTask().GetAwaiter().GetResult().Items.Span[1].Number;
                return subscribers > 0;
            },
            TimeSpan.FromSeconds(60),
            () => $"a subscription of {channel}");
    }
}
