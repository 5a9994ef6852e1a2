
namespace MarketData.MockKalshi.Protocol;

/// <summary>
/// A connection's subscriptions, and what each command does to them (protocol reference, sections 1.4 to 1.6). Not thread-safe:
/// whoever serves the session runs its commands and writes its data frames in one loop, so that a snapshot and the deltas after it
/// have an order.
/// </summary>
/// <param name="context">Its connection.</param>
/// <param name="frames">Composes its frames; null for those of the fixed-point dialect.</param>
internal class Session(SessionContext context, FrameComposer? frames = null)
{
    private readonly List<Subscription> _subscriptions = [];
    private readonly FrameComposer _frames = frames ?? new FrameComposer();
    private IMarketFeed? _feed;
    private int _lastSid;

    public OutboundQueue Outbound => context.Outbound;

    public string Customer => context.Customer;

    public IReadOnlyList<Subscription> Subscriptions => _subscriptions;

    protected MockKalshiMetrics Metrics => context.Metrics;

    public void Execute(Command command, IMarketFeed source)
    {
        _feed = source;
        var feed = context.Faults?.WithoutHidden(source) ?? source;
        if ((context.Faults?.RefusalOf(command) ?? Refusal(command)) is { } refusal)
        {
            Reject(command, refusal);
            return;
        }

        Run(command, feed);
    }

    /// <summary>The connection is over, and its subscriptions have ended.</summary>
    public virtual void Leave(IMarketFeed feed)
    {
    }

    /// <summary>Runs a command that is not refused.</summary>
    protected virtual void Run(Command command, IMarketFeed feed)
    {
        switch (command.Cmd)
        {
            case "subscribe":
                Subscribe(command, feed);
                break;
            case "unsubscribe":
                Unsubscribe(command, feed);
                break;
            case "update_subscription":
                Update(command, feed);
                break;
            case "list_subscriptions":
                List(command);
                break;
            default:
                Reject(command, ErrorCode.UnknownCommand);
                break;
        }
    }

    /// <summary>Sends a data frame that must not be refused: a snapshot that answers a command, or a frame whose sender waits for room.</summary>
    /// <param name="subscription">One of this session's.</param>
    /// <param name="type">The frame's type.</param>
    /// <param name="message">The value of <c>msg</c>.</param>
    /// <param name="commandId">Set on the answer to <c>get_snapshot</c>.</param>
    public virtual void Send(Subscription subscription, string type, ReadOnlySpan<byte> message, long? commandId = null) =>
        SendText(type, _frames.Data(subscription, type, message, commandId));

    /// <summary>Sends a whole frame as it stands.</summary>
    public void SendText(string type, ReadOnlySpan<byte> frame)
    {
        if (context.Faults?.Take(this, type, frame, live: false) != true) Outbound.AddText(frame);
        Metrics.FrameSent(type);
    }

    /// <summary>Sends a live frame; false when the client reads too slowly and its buffer is full.</summary>
    public virtual bool TrySend(Subscription subscription, string type, ReadOnlySpan<byte> message)
    {
        if (!Outbound.HasRoomForStream) return false;
        if (EndsByFault(subscription)) return true;
        SendLive(type, _frames.Data(subscription, type, message, commandId: null));
        return true;
    }

    /// <summary>True when a fault ended the subscription with an error, in place of the live frame that is about to be composed.</summary>
    public bool EndsByFault(Subscription subscription)
    {
        if (context.Faults?.EndOf(subscription) is not { } code) return false;
        Fail(subscription, code, _feed!);
        return true;
    }

    /// <summary>Sends a whole live frame; the caller has seen that there is room.</summary>
    protected void SendLive(string type, ReadOnlySpan<byte> frame)
    {
        if (context.Faults?.Take(this, type, frame, live: true) != true) Outbound.AddStreamFrame(frame);
        Metrics.FrameSent(type);
    }

    /// <summary>Ends a subscription with an error that is terminal for it; its sid is not used again.</summary>
    public void Fail(Subscription subscription, ErrorCode code, IMarketFeed feed)
    {
        Close(subscription, feed);
        SendText("error", _frames.Error(id: null, code, subscription));
    }

    /// <summary>Why a command is not looked at; null when it is.</summary>
    private ErrorCode? Refusal(Command command)
    {
        if (command.IsExcess) return ErrorCode.TooManyRequests;
        if (context.Time.GetElapsedTime(command.ReceivedAt) > context.Options.CommandTimeout) return ErrorCode.CommandTimeout;
        return command.Malformed ? ErrorCode.UnableToProcess : null;
    }

    private void Subscribe(Command command, IMarketFeed feed)
    {
        if (command.Params is not { } parameters)
        {
            Reject(command, ErrorCode.ParamsRequired);
        }
        else if (parameters.Channels is not { Length: > 0 } channels)
        {
            Reject(command, ErrorCode.ChannelsRequired);
        }
        else if (parameters.NamesMarketsWrongly)
        {
            Reject(command, ErrorCode.InvalidParameter);
        }
        else
        {
            // Each channel succeeds or fails for itself.
            foreach (string name in channels.Distinct(StringComparer.Ordinal)) SubscribeChannel(command, parameters, name, feed);
        }
    }

    private void SubscribeChannel(Command command, CommandParams parameters, string name, IMarketFeed feed)
    {
        if (FeedChannel.Find(name) is not { } channel)
        {
            Reject(command, ErrorCode.UnknownChannel);
            return;
        }

        if (CommandRules.CheckSubscribe(parameters, channel, Customer) is { } problem)
        {
            Reject(command, problem);
            return;
        }

        var tickers = NamedTickers(parameters, channel, feed);
        bool everyMarket = !NamesMarkets(parameters, channel);
        bool initialTickers = channel == FeedChannel.Ticker && parameters.SendInitialSnapshot == true;
        if (_subscriptions.Find(open => open.Channel == channel) is { } existing)
        {
            existing.SkipTickerAck = parameters.SkipTickerAck ?? existing.SkipTickerAck;
            existing.AddIndexes(parameters);
            Add(command, existing, tickers, everyMarket, initialTickers, feed);
            return;
        }

        if (channel.MarketsAccepted && tickers.Length > context.Options.MaxMarketsPerSubscription)
        {
            Reject(command, ErrorCode.MarketLimitExceeded);
            return;
        }

        var subscription = new Subscription(this, ++_lastSid, channel)
        {
            SkipTickerAck = parameters.SkipTickerAck ?? false,
            UseYesPrice = parameters.UseYesPrice ?? false,
        };
        subscription.AddIndexes(parameters);
        _subscriptions.Add(subscription);
        SendText("subscribed", _frames.Subscribed(command.Id, subscription));

        if (everyMarket) subscription.TakeEveryMarket();
        else subscription.Tickers!.UnionWith(tickers);
        feed.Start(subscription, everyMarket ? null : tickers, initialTickers);
    }

    /// <summary>Merges markets into an open subscription: only those that are new begin anew.</summary>
    private void Add(Command command, Subscription subscription, string[] tickers, bool everyMarket, bool initialTickers, IMarketFeed feed)
    {
        if (subscription.Tickers is null || everyMarket)
        {
            bool widened = subscription.Tickers is not null;
            if (widened)
            {
                feed.Stop(subscription, [.. subscription.Tickers!]);
                subscription.TakeEveryMarket();
            }

            Acknowledge(command, subscription);
            if (widened) feed.Start(subscription, null, initialTickers);
            return;
        }

        string[] added = tickers.Where(ticker => !subscription.Tickers.Contains(ticker)).ToArray();
        if (subscription.Tickers.Count + added.Length > context.Options.MaxMarketsPerSubscription)
        {
            Reject(command, ErrorCode.MarketLimitExceeded);
            return;
        }

        subscription.Tickers.UnionWith(added);
        Acknowledge(command, subscription);
        if (added.Length > 0) feed.Start(subscription, added, initialTickers);
    }

    private void Unsubscribe(Command command, IMarketFeed feed)
    {
        if (command.Params is not { } parameters)
        {
            Reject(command, ErrorCode.ParamsRequired);
            return;
        }

        int[] sids = parameters.AllSids();
        if (sids.Length == 0) Reject(command, ErrorCode.SubscriptionIdsRequired);
        foreach (int sid in sids.Distinct())
        {
            if (FindSubscription(sid) is not { } subscription)
            {
                Reject(command, ErrorCode.UnknownSubscription);
                continue;
            }

            Close(subscription, feed);
            SendText("unsubscribed", _frames.Unsubscribed(command.Id, subscription));
        }
    }

    private void Update(Command command, IMarketFeed feed)
    {
        if (command.Params is not { } parameters) Reject(command, ErrorCode.ParamsRequired);
        else if (parameters.AllSids() is not [int sid]) Reject(command, ErrorCode.ExactlyOneSubscription);
        else if (FindSubscription(sid) is not { } subscription) Reject(command, ErrorCode.UnknownSubscription);
        else if (string.IsNullOrEmpty(parameters.Action)) Reject(command, ErrorCode.ActionRequired);
        else if (subscription.Channel.Indexes is { } indexes) UpdateIndexes(command, parameters, subscription, indexes);
        else if (!subscription.Channel.MarketsAccepted) Reject(command, ErrorCode.UnsupportedAction);
        else if (parameters.NamesMarketsWrongly) Reject(command, ErrorCode.InvalidParameter);
        else UpdateMarkets(command, parameters, subscription, feed);
    }

    private void UpdateMarkets(Command command, CommandParams parameters, Subscription subscription, IMarketFeed feed)
    {
        bool knownAction = parameters.Action is "add_markets" or "delete_markets"
            || (parameters.Action == "get_snapshot" && subscription.Channel == FeedChannel.OrderbookDelta);
        if (!knownAction)
        {
            Reject(command, ErrorCode.UnsupportedAction);
            return;
        }

        if (!NamesMarkets(parameters, subscription.Channel))
        {
            Reject(command, ErrorCode.MarketTickerRequired);
            return;
        }

        string[] tickers = NamedTickers(parameters, subscription.Channel, feed);
        switch (parameters.Action)
        {
            case "add_markets":
                bool initialTickers = subscription.Channel == FeedChannel.Ticker && parameters.SendInitialSnapshot == true;
                Add(command, subscription, tickers, everyMarket: false, initialTickers, feed);
                break;
            case "delete_markets":
                // A subscription to every market has no list to take from.
                string[] removed = tickers.Where(ticker => subscription.Tickers?.Remove(ticker) == true).ToArray();
                if (removed.Length > 0) feed.Stop(subscription, removed);
                Acknowledge(command, subscription);
                break;
            default:
                foreach (string ticker in tickers) feed.SendSnapshot(subscription, ticker, command.Id);
                break;
        }
    }

    private void UpdateIndexes(Command command, CommandParams parameters, Subscription subscription, IndexFilter filter)
    {
        if (parameters.Action == filter.ListAction)
        {
            string type = $"{subscription.Channel.Name}_{filter.ListAction}";
            SendText(type, _frames.IndexList(command.Id, type, subscription));
        }
        else if (subscription.ChangeIndexes(parameters) is { } problem)
        {
            Reject(command, problem);
        }
        else
        {
            Acknowledge(command, subscription);
        }
    }

    private void List(Command command) => SendText("ok", _frames.Listing(command.Id, _subscriptions));

    private void Acknowledge(Command command, Subscription subscription) => SendText("ok", _frames.Ok(command.Id, subscription));

    protected virtual void Reject(Command command, ErrorCode code) => SendText("error", _frames.Error(command.Id, code, subscription: null));

    private void Close(Subscription subscription, IMarketFeed feed)
    {
        _subscriptions.Remove(subscription);
        feed.Stop(subscription, subscription.Tickers is { } tickers ? [.. tickers] : null);
    }

    private Subscription? FindSubscription(int sid) => _subscriptions.Find(open => open.Sid == sid);

    private static bool NamesMarkets(CommandParams parameters, FeedChannel channel) => channel.MarketsAccepted
        && (parameters.MarketTicker is not null || parameters.MarketTickers is { Length: > 0 }
            || (channel == FeedChannel.Ticker && parameters.DistinctMarketIds().Length > 0));

    private static string[] NamedTickers(CommandParams parameters, FeedChannel channel, IMarketFeed feed)
    {
        string[] tickers = parameters.DistinctTickers();
        if (channel != FeedChannel.Ticker) return tickers;
        var byId = parameters.DistinctMarketIds().Select(feed.FindTicker).OfType<string>();
        return tickers.Union(byId, StringComparer.Ordinal).ToArray();
    }
}
