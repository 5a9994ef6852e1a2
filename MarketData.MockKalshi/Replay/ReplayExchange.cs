using System.Threading.Channels;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Exchange.Truth;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Replay;

/// <summary>A recording, of one file or several, in the place of an exchange: every connection plays it for itself.</summary>
internal sealed class ReplayExchange(Recording recording, ReplayOptions options, TimeProvider timeProvider) : IExchange
{
    private readonly RecordedBooks _books = new(recording);
    private readonly DateTimeOffset _loaded = timeProvider.GetUtcNow();

    private readonly Dictionary<string, MarketDefinition> _markets =
        recording.Markets.ToDictionary(market => market.Ticker, StringComparer.Ordinal);

    public Task ServeAsync(Session session, ChannelReader<Command> commands, CancellationToken cancellationToken) =>
        new ReplayPlayer(recording, _books, _markets, session, options, timeProvider).RunAsync(commands, cancellationToken);

    public ValueTask<IReadOnlyList<MarketView>> ListMarketsAsync(
        MarketFilter filter, string? after, int limit, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<MarketView>>(
            recording.Markets
                .Where(market => after is null || string.CompareOrdinal(market.Ticker, after) > 0)
                .Select(View)
                .Where(filter.Matches)
                .Take(limit)
                .ToList());

    public ValueTask<MarketView?> FindMarketAsync(string ticker, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_markets.TryGetValue(ticker, out var market) ? View(market) : null);

    public ValueTask<BookView?> ReadBookAsync(string ticker, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_markets.ContainsKey(ticker) ? _books.Read(ticker, BookView.Of) : null);

    public ValueTask<TruthAnswer> ReadTruthAsync(string ticker, long? atSeq, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_books.Truth(ticker, atSeq));

    public ValueTask<IReadOnlyList<TradeView>> ListTradesAsync(TradeFilter filter, Guid? before, int limit, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<TradeView>>([]);

    public ValueTask<OrderOutcome> PlaceOrderAsync(string customer, OrderRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(OrderOutcome.Refused(OrderRefusal.NoOrderEntry));

    public ValueTask<OrderOutcome> CancelOrderAsync(string customer, Guid orderId, CancellationToken cancellationToken) =>
        ValueTask.FromResult(OrderOutcome.Refused(OrderRefusal.NoOrderEntry));

    public ValueTask<OrderView?> FindOrderAsync(string customer, Guid orderId, CancellationToken cancellationToken) =>
        ValueTask.FromResult<OrderView?>(null);

    public ValueTask<IReadOnlyList<OrderView>> ListOrdersAsync(
        OrderFilter filter, Guid? before, int limit, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<OrderView>>([]);

    private MarketView View(MarketDefinition market) =>
        new(market, MarketStatus.Active, _books.Read(market.Ticker, MarketQuotes.Of)) { UpdatedTime = _loaded };
}
