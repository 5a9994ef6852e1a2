using MarketData.Domain.Books;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange;
using MarketData.Tests.Unit.MockKalshi;

namespace MarketData.Tests.Reliability;

/// <summary>
/// Customers who place and cancel orders in every open market until they are told to stop: the exchange is as busy as a test wants, and
/// quiet when it compares.
/// </summary>
internal sealed class BusySession : IAsyncDisposable
{
    private const string Customer = "default";
    private static readonly MarketFilter Open = new() { Statuses = new HashSet<MarketStatus> { MarketStatus.Active } };
    private const int MostResting = 400;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private readonly MockExchange _exchange;
    private readonly Random _random = new(29);
    private readonly List<Guid> _resting = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _acting;
    private int _acts;

    public BusySession(MockExchange exchange)
    {
        _exchange = exchange;
        _acting = Task.Run(ActAsync);
    }

    /// <summary>Waits until so many more orders were placed or cancelled.</summary>
    public async Task GoOnAsync(int acts)
    {
        int until = Volatile.Read(ref _acts) + acts;
        await Eventually.TrueAsync(() => _acting.IsCompleted || Volatile.Read(ref _acts) >= until, () => $"{acts} orders are placed");
        if (_acting.IsCompleted) await _acting;
    }

    /// <summary>After this the books stand still, save for markets that close.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _acting;
        _ending.Dispose();
    }

    private async Task ActAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            // The markets change: some close, others open. Not asked for over REST, where faults wait for the service's requests.
            var markets = await _exchange.Exchange.ListMarketsAsync(Open, after: null, limit: 1000, CancellationToken.None);
            string[] tickers = [.. markets.Select(market => market.Definition.Ticker)];
            for (int i = 0; i < 50 && !_ending.IsCancellationRequested; i++)
            {
                for (int burst = _random.Next(1, 6); burst > 0; burst--) await ActOnceAsync(tickers[_random.Next(tickers.Length)]);
                await Task.Delay(Pause, CancellationToken.None);
            }
        }
    }

    private async Task ActOnceAsync(string ticker)
    {
        if (_resting.Count >= MostResting || (_resting.Count > 50 && _random.Next(3) == 0)) await CancelAsync();
        else await PlaceAsync(ticker);
        Interlocked.Increment(ref _acts);
    }

    // Whole cents and contracts are allowed in every market; bids that add up to a dollar trade.
    private async Task PlaceAsync(string ticker)
    {
        int price = _random.Next(25, 60) * (FixedPoint.PriceScale / 100);
        var order = new OrderRequest(ticker, OrderAction.Buy, _random.Next(2) == 0 ? Side.Yes : Side.No, price, _random.Next(1, 40) * FixedPoint.CountScale);
        var outcome = await _exchange.Exchange.PlaceOrderAsync(Customer, order, CancellationToken.None);
        if (outcome.Order is { Status: OrderStatus.Resting } resting) _resting.Add(resting.Id);
        else Assert.True(outcome.Refusal is null or OrderRefusal.MarketNotOpen or OrderRefusal.MarketNotFound, $"{order}: {outcome.Refusal}");
    }

    private async Task CancelAsync()
    {
        int index = _random.Next(_resting.Count);
        await _exchange.Exchange.CancelOrderAsync(Customer, _resting[index], CancellationToken.None);
        _resting[index] = _resting[^1];
        _resting.RemoveAt(_resting.Count - 1);
    }
}
