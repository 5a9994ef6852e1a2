using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Clients;

namespace MarketData.Gateway.Feed;

/// <summary>
/// The one owner of markets and subscriptions: takes messages from Redis and requests from clients in order, keeps the books of what
/// is wanted, and gives each message to those who want it.
/// </summary>
public sealed partial class FeedLoop(
    FeedInbox inbox,
    RedisSubscriber subscriber,
    SnapshotKeys keys,
    GatewayMetrics metrics,
    DeliveryLatency latency,
    TimeProvider time,
    ILogger<FeedLoop> logger) : BackgroundService
{
    private static readonly TimeSpan ListInterval = TimeSpan.FromSeconds(30), ListRetry = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, MarketFeed> _byTicker = [];
    private readonly Dictionary<byte[], MarketFeed>.AlternateLookup<ReadOnlySpan<byte>> _markets =
        new Dictionary<byte[], MarketFeed>(Utf8TextComparer.Instance).GetAlternateLookup<ReadOnlySpan<byte>>();

    private readonly SubscriptionTable _table = new();
    private readonly RedisInterest _interest = new(subscriber);
    private readonly Delivery _delivery = new(metrics, time);
    private int _listing;

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
                case ClientAsks asks when !asks.Client.IsClosing:
                    OnRequest(asks.Client, asks.Request);
                    break;
                case ClientErred erred when !erred.Client.IsClosing:
                    _delivery.Reply(erred.Client, ClientReply.Error(erred.Error, Now));
                    break;
                case ClientDrained drained:
                    _delivery.CatchUp(drained.Client);
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
                case SnapshotKeysListed listed when listed.Listing == _listing && _interest.IsAllWanted:
                    OnListed(listed.Tickers);
                    break;
                case SnapshotKeyRead read when read.Request.Attempt == read.Request.Market.Attempt:
                    OnKey(read.Request.Market, read.Value);
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

        if (PrivateContent.Is(value, envelope))
        {
            metrics.ReceivedPrivate();
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
            var clean = WithoutPrivateFields(value, envelope);
            if (market.OnOther(clean, envelope)) Route(market, clean, envelope);
            return;
        }

        // The rest of a book's subscription, in a market of which other channels are still wanted.
        if (market.BookInterest == 0 && !_interest.IsAllWanted) return;
        bool wasRight = market.IsConfirmed;
        switch (market.OnBook(value, envelope))
        {
            case BookStep.PassOn:
                Route(market, WithoutPrivateFields(value, envelope), envelope);
                break;
            case BookStep.Reset:
                Route(market, WithoutPrivateFields(value, envelope), envelope);
                ReadKey(market, market.NextRead);
                break;
            case BookStep.NeedsKey:
                if (wasRight) Repairing(market);
                ReadKey(market, TimeSpan.Zero);
                break;
        }
    }

    private void Route(MarketFeed market, byte[] value, in Envelope envelope)
    {
        _delivery.Route(market, envelope.Channel, value, _table);
        latency.Record(envelope.ReceivedTimestamp);
    }

    private byte[] WithoutPrivateFields(byte[] value, in Envelope envelope)
    {
        var clean = PrivateContent.Remove(value, envelope);
        if (!ReferenceEquals(clean, value)) metrics.ReceivedPrivate();
        return clean;
    }

    private void OnKey(MarketFeed market, byte[]? value)
    {
        bool wasRight = market.IsConfirmed;
        bool isReset = market.OnKey(value);
        if (wasRight && !market.IsConfirmed) Repairing(market);
        if (isReset) _delivery.RouteSnapshot(market, _table);
        ReadKey(market, market.NextRead);
    }

    private void Repairing(MarketFeed market)
    {
        metrics.Repaired();
        LogRepair(market.Ticker);
    }

    // Late markets too: the relay writes every key again when Redis has lost them, without a message.
    private void OnListed(IReadOnlyList<string>? tickers)
    {
        foreach (var ticker in tickers ?? []) SyncIdle(Market(ticker));
        foreach (var market in _byTicker.Values.Where(market => market.HasBook)) SyncIdle(market);
        keys.RequestList(_listing, tickers == null ? ListRetry : ListInterval);

        void SyncIdle(MarketFeed market)
        {
            if (market.State == BookState.Idle) Sync(market);
        }
    }

    private void OnRequest(GatewayClient client, ClientRequest request)
    {
        if (request.Action == ClientAction.Ping) _delivery.Reply(client, ClientReply.Pong(Now));
        foreach (var (text, name) in request.Channels)
        {
            if (request.Action == ClientAction.Subscribe) OnSubscribe(client, text, name);
            else OnUnsubscribe(client, text, name);
        }
    }

    private void OnSubscribe(GatewayClient client, string text, ChannelName name)
    {
        if (client.Subscriptions.Contains(name))
        {
            Reply(client, "already_subscribed", text);
        }
        else if (client.Subscriptions.Count >= client.Permit.MaxSubscriptions)
        {
            _delivery.Reply(client, ClientReply.Error($"Not subscribed to '{text}': a client may subscribe at most {client.Permit.MaxSubscriptions} channels.", Now));
        }
        else
        {
            Reply(client, "subscribed", text);
            Subscribe(client, name);
        }
    }

    private void OnUnsubscribe(GatewayClient client, string text, ChannelName name)
    {
        if (!client.Subscriptions.Remove(name))
        {
            Reply(client, "not_subscribed", text);
            return;
        }

        Unsubscribe(client, name);
        Delivery.ForgetUnwanted(client);
        Reply(client, "unsubscribed", text);
    }

    private void Subscribe(GatewayClient client, ChannelName name)
    {
        client.Subscriptions.Add(name);
        client.Permit.OnSubscribed();
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
        if (one.State == BookState.Live) _delivery.Give(client, one);
    }

    // The caller has removed the name from the client.
    private void Unsubscribe(GatewayClient client, ChannelName name)
    {
        client.Permit.OnUnsubscribed();
        _table.Remove(client, name);
        _interest.Remove(name);
        if (name.Ticker != null)
        {
            var market = Market(name.Ticker);
            market.Interest--;
            if (RedisInterest.IsBook(name)) market.BookInterest--;
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

    // Of the two channels of a book each confirmation begins again, so that the last of them counts.
    private void OnSubscribed(string channel)
    {
        if (channel == RedisNames.AllChannel)
        {
            keys.RequestList(++_listing, TimeSpan.Zero);
        }
        else if (RedisInterest.BookTickerOf(channel) is { } ticker
            && _byTicker.TryGetValue(ticker, out var market)
            && market.BookInterest > 0
            && !(_interest.IsAllWanted && market.State == BookState.Live))
        {
            Sync(market);
        }
    }

    private void Sync(MarketFeed market)
    {
        market.StartSync();
        ReadKey(market, TimeSpan.Zero);
    }

    private void ReadKey(MarketFeed market, TimeSpan delay) => keys.Request(new SnapshotKeyRequest(market, market.Attempt), delay);

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

    [LoggerMessage(30, LogLevel.Warning, "Skipped a message of {Length} bytes from Redis, which is no envelope: {Reason}")]
    private partial void LogUnreadable(int length, string? reason);

    [LoggerMessage(31, LogLevel.Information, "Order-book messages of {Ticker} are missing; its clients get a snapshot as soon as its key has what is missing.")]
    private partial void LogRepair(string ticker);
}
