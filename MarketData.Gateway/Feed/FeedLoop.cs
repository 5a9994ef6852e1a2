using MarketData.Domain.Channels;
using MarketData.Domain.Envelopes;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Clients;
using MarketData.Gateway.Fanout;
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
    PastTrades pastTrades,
    FanoutService fanout,
    IOptions<GatewayOptions> options,
    GatewayMetrics metrics,
    TimeProvider time,
    ILogger<FeedLoop> logger) : BackgroundService
{
    private static readonly TimeSpan ListInterval = TimeSpan.FromSeconds(30), ListRetry = TimeSpan.FromSeconds(1), TickInterval = TimeSpan.FromSeconds(1);

    // What clients have left is followed for longer, but no client can make that many channels by coming and going.
    private const int MaxReleased = 10_000;

    // A client that reconnects within this time finds its market followed, and can go on where it was.
    private readonly TimeSpan _linger = TimeSpan.FromSeconds(options.Value.LingerSeconds);

    private static readonly MarketChannel[] OtherTypes = [MarketChannel.TickerV2, MarketChannel.Trade, MarketChannel.MarketLifecycleV2];
    private readonly Dictionary<string, MarketFeed> _byTicker = [];
    private readonly Dictionary<byte[], MarketFeed>.AlternateLookup<ReadOnlySpan<byte>> _markets =
        new Dictionary<byte[], MarketFeed>(Utf8TextComparer.Instance).GetAlternateLookup<ReadOnlySpan<byte>>();

    private readonly RedisInterest _interest = new(subscriber);
    private readonly Delivery _delivery = new(fanout.Log, time);
    private readonly AwaitedTrades _awaited = new(pastTrades);
    private readonly Queue<(ChannelName Name, long Since)> _released = new();
    private int _listing;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var tick = time.CreateTimer(_ => inbox.TryPost(new FeedTick()), null, TickInterval, TickInterval);
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
            Take(feedEvent);
            fanout.Wake();
        }
    }

    private void Take(FeedEvent feedEvent)
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
            case ClientRefresh refresh when !refresh.Client.IsClosing:
                _delivery.Refresh(refresh, ticker => _byTicker.GetValueOrDefault(ticker));
                break;
            case FeedTick:
                ReleaseDue();
                _awaited.Retry();
                break;
            case ClientGone gone:
                _delivery.Remove(gone.Client, [.. gone.Client.Subscriptions.Select(TopicOf)]);
                foreach (var name in gone.Client.Subscriptions)
                {
                    _awaited.Remove(gone.Client, name);
                    Release(gone.Client, name);
                }

                break;
            case RedisSubscribed subscribed:
                OnSubscribed(subscribed.Channel);
                break;
            case RedisLost:
                _interest.Lose();
                foreach (var market in _byTicker.Values) market.Stop();
                break;
            case SnapshotKeysListed listed when listed.Listing == _listing && _interest.IsAllWanted:
                OnListed(listed.Tickers);
                break;
            case PastTradesRead past when _awaited.Take(past.Request):
                Begin(past.Request, past.Trades);
                break;
            case SnapshotKeyRead read when read.Request.Attempt == read.Request.Market.Attempt:
                OnKey(read.Request.Market, read.Value);
                break;
        }
    }

    private void OnMessage(byte[] value)
    {
        if (!TryRead(value, out var envelope, out var error))
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
            if (!market.OnOther(clean, envelope, out var missed)) return;
            if (envelope.Channel == MarketChannel.Trade)
            {
                foreach (var request in _awaited.Due(market.Ticker, envelope.Position)) _delivery.GoOn(request.Client, TopicOf(request.Channel.Name));
            }

            if (missed is { } gap) Lost(market, envelope.Channel, gap);
            Route(market, clean, envelope);
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

    private bool TryRead(byte[] value, out Envelope envelope, out string? error)
    {
        bool isRead = Envelope.TryParse(value, out envelope, out error);
        if (!isRead || value.Length <= _delivery.MaxMessage) return isRead;
        error = $"more than {_delivery.MaxMessage} bytes, an eighth of Gateway:LogMegabytes";
        return false;
    }

    private void Route(MarketFeed market, byte[] value, in Envelope envelope) =>
        _delivery.Route(market, envelope.Channel, value, envelope.Position, envelope.ReceivedTimestamp);

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
        if (isReset) _delivery.RouteSnapshot(market);
        ReadKey(market, market.NextRead);
    }

    // Nobody has these any more: whoever wants them is told.
    private void Lost(MarketFeed market, MarketChannel channel, (long From, long To) missed)
    {
        metrics.Lost(missed.To - missed.From + 1);
        LogLost(missed.To - missed.From + 1, channel, market.Ticker);
        _delivery.RouteGap(market, channel, missed);
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
        foreach (var channel in request.Channels)
        {
            if (request.Action == ClientAction.Subscribe) OnSubscribe(client, channel);
            else OnUnsubscribe(client, channel.Text, channel.Name);
        }
    }

    private void OnSubscribe(GatewayClient client, RequestedChannel channel)
    {
        var (text, name) = (channel.Text, channel.Name);
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
            Subscribe(client, channel);
        }
    }

    private void OnUnsubscribe(GatewayClient client, string text, ChannelName name)
    {
        if (!client.Subscriptions.Remove(name))
        {
            Reply(client, "not_subscribed", text);
            return;
        }

        _awaited.Remove(client, name);
        _delivery.Remove(client, [TopicOf(name)]);
        Release(client, name);
        Reply(client, "unsubscribed", text);
    }

    private void Subscribe(GatewayClient client, RequestedChannel channel)
    {
        var name = channel.Name;
        client.Subscriptions.Add(name);
        client.Permit.OnSubscribed();
        _interest.Add(name);
        bool isBook = RedisInterest.IsBook(name);
        if (name.Ticker == null)
        {
            _delivery.AddWide(client, TopicOf(name), isBook ? _byTicker.Values.Where(market => market.State == BookState.Live) : []);
            return;
        }

        var one = Market(name.Ticker);
        one.Interest++;
        if (isBook) one.BookInterest++;
        if (channel.History == 0 || channel.Resume != null || _delivery.HasRecent(one, channel.History)) _delivery.Add(client, TopicOf(name), one, channel, []);
        else _awaited.Add(new PastTradesRequest(client, channel), _interest.HasTrades(name.Ticker));
    }

    private void Begin(PastTradesRequest request, IReadOnlyList<byte[]> list)
    {
        var market = Market(request.Ticker);
        var last = market.Last(StreamKind.Trade);
        var past = PastTrade.Of(list);
        // What is listed behind the last trade that arrived is still to arrive. Where none has, what was listed may arrive once more.
        if (last.Sequence > 0) past = [.. past.TakeWhile(trade => trade.Position <= last)];
        bool isDeferred = last.Sequence == 0 && past.Count > 0;
        _delivery.Add(request.Client, TopicOf(request.Channel.Name), market, request.Channel, past, isDeferred);
        if (isDeferred) _awaited.Defer(request, past[^1].Position);
    }

    private Topic TopicOf(ChannelName name) => new(name.Ticker == null ? null : Market(name.Ticker).Market, name.Type);

    // What nobody wants any more is followed for a while longer.
    private void Release(GatewayClient client, ChannelName name)
    {
        client.Permit.OnUnsubscribed();
        _released.Enqueue((name, time.GetTimestamp()));
        ReleaseDue();
    }

    private void ReleaseDue()
    {
        while (_released.TryPeek(out var released) && (_released.Count > MaxReleased || time.GetElapsedTime(released.Since) >= _linger)) Release(_released.Dequeue().Name);
    }

    private void Release(ChannelName name)
    {
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
        foreach (var type in OtherTypes.Where(type => !_interest.IsWanted(market.Ticker, type))) market.Forget(type.Stream());
        if (market.Interest > 0) return;
        _byTicker.Remove(market.Ticker);
        _markets.Remove(System.Text.Encoding.UTF8.GetBytes(market.Ticker));
    }

    // Of the two channels of a book each confirmation begins again, so that the last of them counts.
    private void OnSubscribed(string channel)
    {
        _interest.Confirm(channel);
        if (RedisInterest.TradeTickerOf(channel) is { } traded) _awaited.Confirm(traded);
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

    [LoggerMessage(32, LogLevel.Warning, "{Count} messages ({Type}) of {Ticker} never came; whoever subscribes them is told.")]
    private partial void LogLost(long count, MarketChannel type, string ticker);

    [LoggerMessage(31, LogLevel.Information, "Order-book messages of {Ticker} are missing; its clients get a snapshot as soon as its key has what is missing.")]
    private partial void LogRepair(string ticker);
}
