using MarketData.Gateway.Channels;
using MarketData.Gateway.Clients;

namespace MarketData.Gateway.Feed;

/// <summary>
/// The trade channels that wait for past trades to begin with. They are read once Redis has confirmed the market's subscription: what is
/// published later arrives, and what was published earlier is in the list. Belongs to the feed's loop.
/// </summary>
public sealed class AwaitedTrades
{
    private readonly Dictionary<(GatewayClient, ChannelName), PastTradesRequest> _requests = [];
    private readonly Dictionary<string, List<PastTradesRequest>> _unconfirmed = [];

    public void Add(PastTradesRequest request, bool isConfirmed)
    {
        _requests[(request.Client, request.Channel.Name)] = request;
        if (isConfirmed) return;
        if (!_unconfirmed.TryGetValue(request.Ticker, out var waiting)) _unconfirmed[request.Ticker] = waiting = [];
        waiting.Add(request);
    }

    /// <summary>Those that can be read now that the subscription of a market's trades is confirmed.</summary>
    public IReadOnlyList<PastTradesRequest> Confirmed(string ticker) => _unconfirmed.Remove(ticker, out var waiting) ? waiting : [];

    /// <summary>Ends a wait; false when the client has given the channel up meanwhile.</summary>
    public bool Take(PastTradesRequest request) =>
        _requests.TryGetValue((request.Client, request.Channel.Name), out var waiting) && waiting == request && _requests.Remove((request.Client, request.Channel.Name));

    /// <summary>The client does not want the channel any more.</summary>
    public void Remove(GatewayClient client, ChannelName name)
    {
        if (!_requests.Remove((client, name), out var request) || !_unconfirmed.TryGetValue(request.Ticker, out var waiting)) return;
        waiting.Remove(request);
        if (waiting.Count == 0) _unconfirmed.Remove(request.Ticker);
    }
}
