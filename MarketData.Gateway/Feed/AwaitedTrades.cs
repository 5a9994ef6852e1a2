using MarketData.Domain.Envelopes;
using MarketData.Gateway.Channels;
using MarketData.Gateway.Clients;

namespace MarketData.Gateway.Feed;

/// <summary>
/// The trade channels that begin with past trades. These are read once Redis has confirmed the market's subscription: what was published
/// earlier is in the list, and what is published later arrives. What arrives may be in the list too, so a channel that began with the list
/// goes on with the first trade behind it. Belongs to the feed's loop.
/// </summary>
public sealed class AwaitedTrades(PastTrades past)
{
    private readonly Dictionary<(GatewayClient, ChannelName), PastTradesRequest> _requests = [];
    private readonly Dictionary<string, List<PastTradesRequest>> _unconfirmed = [];
    private readonly Dictionary<string, List<(PastTradesRequest Request, StreamPosition Listed)>> _deferred = [];
    private readonly Queue<PastTradesRequest> _refused = new();

    public void Add(PastTradesRequest request, bool isConfirmed)
    {
        _requests[(request.Client, request.Channel.Name)] = request;
        if (isConfirmed) Read(request);
        else ListOf(_unconfirmed, request.Ticker).Add(request);
    }

    /// <summary>Redis has confirmed the subscription of a market's trades.</summary>
    public void Confirm(string ticker)
    {
        if (!_unconfirmed.Remove(ticker, out var waiting)) return;
        foreach (var request in waiting) Read(request);
    }

    /// <summary>Tries again what there was no room for.</summary>
    public void Retry()
    {
        while (_refused.TryPeek(out var request) && (!IsWanted(request) || past.TryRequest(request))) _refused.Dequeue();
    }

    /// <summary>Ends a wait; false when the client has given the channel up meanwhile.</summary>
    public bool Take(PastTradesRequest request) => IsWanted(request) && _requests.Remove((request.Client, request.Channel.Name));

    /// <summary>The channel goes on with the first trade behind those that were listed.</summary>
    public void Defer(PastTradesRequest request, StreamPosition listed) => ListOf(_deferred, request.Ticker).Add((request, listed));

    /// <summary>The channels that go on with a trade that has arrived.</summary>
    public IReadOnlyList<PastTradesRequest> Due(string ticker, StreamPosition position)
    {
        if (_deferred.Count == 0 || !_deferred.TryGetValue(ticker, out var deferred)) return [];
        var due = deferred.Where(channel => position > channel.Listed).Select(channel => channel.Request).ToList();
        deferred.RemoveAll(channel => position > channel.Listed);
        if (deferred.Count == 0) _deferred.Remove(ticker);
        return due;
    }

    /// <summary>The client does not want the channel any more.</summary>
    public void Remove(GatewayClient client, ChannelName name)
    {
        if (_requests.Remove((client, name), out var request)) Remove(_unconfirmed, request.Ticker, request.Equals);
        if (name.Ticker is { } ticker) Remove(_deferred, ticker, deferred => deferred.Request.Client == client && deferred.Request.Channel.Name == name);
    }

    private void Read(PastTradesRequest request)
    {
        if (!past.TryRequest(request)) _refused.Enqueue(request);
    }

    // The same channel may have been given up and asked for again.
    private bool IsWanted(PastTradesRequest request) =>
        _requests.TryGetValue((request.Client, request.Channel.Name), out var waiting) && ReferenceEquals(waiting, request);

    private static List<T> ListOf<T>(Dictionary<string, List<T>> lists, string ticker)
    {
        if (!lists.TryGetValue(ticker, out var list)) lists[ticker] = list = [];
        return list;
    }

    private static void Remove<T>(Dictionary<string, List<T>> lists, string ticker, Predicate<T> isMeant)
    {
        if (!lists.TryGetValue(ticker, out var list)) return;
        list.RemoveAll(isMeant);
        if (list.Count == 0) lists.Remove(ticker);
    }
}
