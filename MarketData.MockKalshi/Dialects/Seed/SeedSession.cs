using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Dialects.Seed;

/// <summary>A connection's subscriptions in the seed dialect, and what its commands do to them. Runs in the exchange's loop like its base.</summary>
internal sealed class SeedSession(SeedHub hub, SessionContext context) : Session(context)
{
    private readonly List<SeedSubscription> _subscriptions = [];
    private readonly HashSet<(string Channel, string Ticker)> _wanted = [];
    private readonly HashSet<string> _wantedTickers = new(StringComparer.Ordinal);
    private readonly SeedForm _form = hub.Form;
    private readonly int _mostMarkets = context.Options.MaxMarketsPerSubscription;

    public override void Leave(IMarketFeed feed)
    {
        _subscriptions.Clear();
        Narrow(feed);
    }

    /// <summary>Whether any subscription asks for this channel of this market.</summary>
    public bool Wants(string channel, string ticker) => _wanted.Contains((channel, ticker));

    /// <summary>Whether any subscription names this market.</summary>
    public bool Wants(string ticker) => _wantedTickers.Contains(ticker);

    /// <summary>Sends a live frame; a client that reads too slowly loses all its subscriptions and is told so.</summary>
    public void Deliver(string type, ReadOnlySpan<byte> frame)
    {
        if (Outbound.HasRoomForStream)
        {
            SendLive(type, frame);
            return;
        }

        Metrics.SubscriptionOverflowed();
        _subscriptions.Clear();
        Recount();
        SendText("error", _form.Error(id: null, "Subscription buffer overflow"));
    }

    protected override void Run(Command command, IMarketFeed feed)
    {
        var seed = (SeedCommand)command;
        if (seed.Problem is { } problem) Fail(null, $"Invalid message format: {problem}");
        else if (seed.SeedParams is not { } parameters) Fail(seed.Id, "Invalid message format: params required");
        else Run(seed, parameters, feed);
    }

    protected override void Reject(Command command, ErrorCode code) => Fail(command.Id, code.Text());

    private void Run(SeedCommand command, SeedParams parameters, IMarketFeed feed)
    {
        switch (command.Cmd)
        {
            case "subscribe":
                Subscribe(command, parameters, feed);
                break;
            case "unsubscribe":
                foreach (string sid in parameters.Sids ?? []) _subscriptions.RemoveAll(subscription => _form.Sid(subscription) == sid);
                Narrow(feed);
                SendText("unsubscribed", _form.Unsubscribed(command.Id));
                break;
            case "update_subscription":
                Update(command, parameters, feed);
                break;
            default:
                Fail(command.Id, $"Unknown command: {command.Cmd}");
                break;
        }
    }

    private void Subscribe(SeedCommand command, SeedParams parameters, IMarketFeed feed)
    {
        // Of this dialect only: there is no mode for all markets, and what lacks is told without the id.
        if (!AreNames(parameters.Channels))
        {
            Fail(null, "Invalid message format: channels required");
        }
        else if (!AreNames(parameters.MarketTickers))
        {
            Fail(null, "Invalid message format: market_tickers required");
        }
        else if (ExceedsLimit(parameters.Channels!.Length * (long)parameters.MarketTickers!.Length))
        {
            Reject(command, ErrorCode.MarketLimitExceeded);
        }
        else
        {
            string[] tickers = parameters.MarketTickers.Distinct(StringComparer.Ordinal).ToArray();
            var added = parameters.Channels.Select(channel => new SeedSubscription(hub.NextSid(), channel) { Tickers = tickers }).ToList();
            _subscriptions.AddRange(added);
            Recount();
            SendText("subscribed", _form.Subscribed(command.Id, added));
            hub.Join(this, tickers, feed);
        }
    }

    /// <summary>Replaces the list of markets.</summary>
    private void Update(SeedCommand command, SeedParams parameters, IMarketFeed feed)
    {
        if (_subscriptions.Find(open => _form.Sid(open) == parameters.Sid) is not { } subscription)
        {
            Fail(command.Id, $"Unknown subscription: {parameters.Sid}");
        }
        else if (!AreNames(parameters.MarketTickers))
        {
            Fail(null, "Invalid message format: market_tickers required");
        }
        else if (ExceedsLimit(parameters.MarketTickers!.Length - subscription.Tickers.Count))
        {
            Reject(command, ErrorCode.MarketLimitExceeded);
        }
        else
        {
            string[] added = parameters.MarketTickers.Except(subscription.Tickers).ToArray();
            subscription.Tickers = parameters.MarketTickers.Distinct(StringComparer.Ordinal).ToArray();
            SendText("subscription_updated", _form.Updated(command.Id, subscription));
            Narrow(feed);
            hub.Join(this, added, feed);
        }
    }

    /// <summary>All subscriptions of a session together name at most as many markets as one of the other dialects may.</summary>
    private bool ExceedsLimit(long added) =>
        _subscriptions.Sum(subscription => (long)subscription.Tickers.Count) + added > _mostMarkets;

    /// <summary>The subscriptions have become fewer.</summary>
    private void Narrow(IMarketFeed feed)
    {
        Recount();
        hub.Release(this, feed);
    }

    private void Recount()
    {
        _wanted.Clear();
        _wantedTickers.Clear();
        foreach (var subscription in _subscriptions)
        {
            _wanted.UnionWith(subscription.Tickers.Select(ticker => (subscription.Channel, ticker)));
            _wantedTickers.UnionWith(subscription.Tickers);
        }
    }

    private void Fail(long? id, string message) => SendText("error", _form.Error(id, message));

    private static bool AreNames(string[]? names) => names is { Length: > 0 } && Array.TrueForAll(names, name => !string.IsNullOrEmpty(name));
}
