using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Clients;
using Microsoft.Extensions.Options;

namespace MarketData.Gateway.Feed;

/// <summary>
/// The one owner of markets and subscriptions: takes messages from Redis and requests from clients in order, keeps the books of what
/// is wanted, and gives each message to those who want it.
/// </summary>
public sealed partial class FeedLoop(
    FeedInbox inbox,
    RedisSubscriber subscriber,
    SnapshotKeys keys,
    IOptions<GatewayOptions> options,
    GatewayMetrics metrics,
    TimeProvider time,
    ILogger<FeedLoop> logger) : BackgroundService
{
    // Longer than the relay takes from a publication to the market's key.
    private static readonly TimeSpan ConfirmDelay = TimeSpan.FromSeconds(1), FirstRetry = TimeSpan.FromMilliseconds(100), MaxRetry = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, MarketFeed> _byTicker = [];
    private readonly Dictionary<byte[], MarketFeed>.AlternateLookup<ReadOnlySpan<byte>> _markets =
        new Dictionary<byte[], MarketFeed>(Utf8TextComparer.Instance).GetAlternateLookup<ReadOnlySpan<byte>>();

    private readonly Dictionary<string, MarketFeed> _byBookChannel = [];
    private readonly SubscriptionTable _table = new();
    private readonly RedisInterest _interest = new(subscriber);
    private readonly Delivery _delivery = new(metrics, time);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RunAsync(stoppingToken);
        }
        finally
        {
            inbox.Complete();
        }
    }

    private async Task RunAsync(CancellationToken stoppingToken)
    {
        await foreach (var feedEvent in inbox.Events.ReadAllAsync(stoppingToken))
        {
            switch (feedEvent)
            {
                case RedisMessages messages:
                    foreach (var value in messages.Values) OnMessage(value);
                    break;
                case ClientAsks asks:
                    foreach (var (text, name) in asks.Request.Channels) OnRequest(asks.Client, asks.Request.Action, text, name);
                    break;
                case ClientDrained drained:
                    _delivery.Catch(drained.Client, ticker => _byTicker.GetValueOrDefault(ticker));
                    break;
                case ClientGone gone:
                    foreach (var name in gone.Client.Subscriptions) Unsubscribe(gone.Client, name);
                    break;
                case RedisSubscribed subscribed:
                    OnSubscribed(subscribed.Channel);
                    break;
                case RedisLost:
                    foreach (var market in _byTicker.Values) market.Stop();
                    break;
                case SnapshotKeysListed listed when _interest.IsAllWanted:
                    foreach (var ticker in listed.Tickers.Where(ticker => Market(ticker).State != BookState.Live)) Sync(Market(ticker));
                    break;
                case SnapshotKeyRead read when _byTicker.TryGetValue(read.Request.Ticker, out var market) && market.Attempt == read.Request.Attempt:
                    OnKey(market, read.Value);
                    break;
            }
        }
    }

    private void OnMessage(byte[] value)
    {
        if (!Envelope.TryParse(value, out var envelope, out var error))
        {
            metrics.ReceivedUnreadable();
            LogUnreadable(value.Length, error);
            return;
        }

        var ticker = envelope.Ticker.IsEmpty ? KafkaNames.NoMarketKey : envelope.Ticker.Of(value);
        if (!_markets.TryGetValue(ticker, out var market))
        {
            // The rest of a subscription that has just ended.
            if (!_interest.IsAllWanted) return;
            market = Market(System.Text.Encoding.UTF8.GetString(ticker));
        }

        if (envelope.Channel.Stream() != StreamKind.OrderBook)
        {
            if (market.OnOther(value, envelope)) _delivery.Route(market, envelope.Channel, value, _table);
            return;
        }

        bool wasLive = market.State == BookState.Live;
        switch (market.OnBook(value, envelope))
        {
            case BookStep.PassOn or BookStep.Reset:
                _delivery.Route(market, envelope.Channel, value, _table);
                break;
            case BookStep.NeedsKey:
                if (wasLive) LogRepair(market.Ticker, envelope.StreamSequence);
                if (wasLive) metrics.Repaired();
                ReadKey(market, TimeSpan.Zero);
                break;
        }
    }

    private void OnKey(MarketFeed market, byte[]? value)
    {
        bool wasLive = market.State == BookState.Live;
        switch (market.OnKey(value))
        {
            case BookStep.Reset:
                if (wasLive) metrics.Repaired();
                _delivery.Route(market, MarketChannel.OrderbookSnapshot, _delivery.Snapshot(market), _table);
                if (!wasLive) ReadKey(market, ConfirmDelay);
                break;
            case BookStep.NeedsKey when market.HasPending || market.Retries == 1:
                // Without messages there is nothing to wait for but a key whose write is due.
                ReadKey(market, market.HasPending ? Min(FirstRetry * (1 << Math.Min(market.Retries, 10)), MaxRetry) : ConfirmDelay);
                break;
        }
    }

    private void OnRequest(GatewayClient client, ClientAction action, string text, ChannelName name)
    {
        if (action == ClientAction.Unsubscribe)
        {
            bool removed = client.Subscriptions.Remove(name);
            if (removed) Unsubscribe(client, name);
            Reply(client, removed ? "unsubscribed" : "not_subscribed", text);
        }
        else if (client.Subscriptions.Contains(name))
        {
            Reply(client, "already_subscribed", text);
        }
        else if (client.Subscriptions.Count >= options.Value.MaxSubscriptions)
        {
            _delivery.Reply(client, ClientReply.Error($"Not subscribed to '{text}': a client may subscribe at most {options.Value.MaxSubscriptions} channels.", Now));
        }
        else
        {
            Reply(client, "subscribed", text);
            Subscribe(client, name);
        }
    }

    private void Subscribe(GatewayClient client, ChannelName name)
    {
        client.Subscriptions.Add(name);
        _table.Add(client, name);
        _interest.Add(name);
        if (name.Ticker == null)
        {
            if (!RedisInterest.IsBook(name)) return;
            foreach (var market in _byTicker.Values.Where(market => market.State == BookState.Live)) _delivery.Give(client, market);
            return;
        }

        var one = Market(name.Ticker);
        one.Interest++;
        if (!RedisInterest.IsBook(name)) return;
        one.BookInterest++;
        _byBookChannel[RedisInterest.BookChannel(name.Ticker)] = one;
        if (one.State == BookState.Live) _delivery.Give(client, one);
    }

    // The caller has removed the name from the client.
    private void Unsubscribe(GatewayClient client, ChannelName name)
    {
        _table.Remove(client, name);
        _interest.Remove(name);
        if (name.Ticker != null)
        {
            var market = Market(name.Ticker);
            market.Interest--;
            if (RedisInterest.IsBook(name)) market.BookInterest--;
            if (market.BookInterest == 0) _byBookChannel.Remove(RedisInterest.BookChannel(name.Ticker));
            if (!_interest.IsAllWanted) Release(market);
        }
        else if (!_interest.IsAllWanted)
        {
            foreach (var market in _byTicker.Values.ToList()) Release(market);
        }
    }

    // Keeps of a market only what its own channels feed.
    private void Release(MarketFeed market)
    {
        if (market.BookInterest == 0) market.Stop();
        if (market.Interest > 0) return;
        _byTicker.Remove(market.Ticker);
        _markets.Remove(System.Text.Encoding.UTF8.GetBytes(market.Ticker));
    }

    private void OnSubscribed(string channel)
    {
        if (channel == RedisNames.AllChannel) keys.RequestList();
        else if (_byBookChannel.TryGetValue(channel, out var market) && !(_interest.IsAllWanted && market.State == BookState.Live)) Sync(market);
    }

    private void Sync(MarketFeed market)
    {
        market.StartSync();
        ReadKey(market, TimeSpan.Zero);
    }

    private void ReadKey(MarketFeed market, TimeSpan delay)
    {
        market.IsReadingKey = true;
        keys.Request(new SnapshotKeyRequest(market.Ticker, market.Attempt), delay);
    }

    private MarketFeed Market(string ticker)
    {
        if (_byTicker.TryGetValue(ticker, out var market)) return market;
        market = new MarketFeed(ticker);
        _byTicker[ticker] = market;
        _markets[System.Text.Encoding.UTF8.GetBytes(ticker)] = market;
        return market;
    }

    private void Reply(GatewayClient client, string type, string channel) => _delivery.Reply(client, ClientReply.Channel(type, channel, Now));

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    [LoggerMessage(30, LogLevel.Warning, "Skipped a message of {Length} bytes from Redis, which is no envelope: {Reason}")]
    private partial void LogUnreadable(int length, string? reason);

    [LoggerMessage(31, LogLevel.Information, "Messages before number {Sequence} of {Ticker} are missing; reading its snapshot key.")]
    private partial void LogRepair(string ticker, long sequence);
}
