using System.Threading.Channels;
using MarketData.MockKalshi.Exchange;
using MarketData.MockKalshi.Exchange.Truth;
using MarketData.MockKalshi.Faults.Kinds;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Faults;

/// <summary>
/// The exchange as it is asked, without the markets that a fault hides. Running sessions are served by the exchange itself; which markets
/// a new subscription finds is <see cref="HidingFeed"/>'s part.
/// </summary>
internal sealed class HidingExchange(IExchange exchange, FaultRegistry registry) : IExchange
{
    public Task ServeAsync(Session session, ChannelReader<Command> commands, CancellationToken cancellationToken) =>
        exchange.ServeAsync(session, commands, cancellationToken);

    public async ValueTask<IReadOnlyList<MarketView>> ListMarketsAsync(
        MarketFilter filter, string? after, int limit, CancellationToken cancellationToken)
    {
        // As many more as may be taken out, so that a page is full as long as markets are left.
        int hidden = registry.Active.Count(fault => fault is HideMarketFault);
        var markets = await exchange.ListMarketsAsync(filter, after, limit + hidden, cancellationToken);
        return hidden == 0 ? markets : [.. markets.Where(market => !registry.Hides(market.Definition.Ticker)).Take(limit)];
    }

    public async ValueTask<MarketView?> FindMarketAsync(string ticker, CancellationToken cancellationToken) =>
        registry.Hides(ticker) ? null : await exchange.FindMarketAsync(ticker, cancellationToken);

    public async ValueTask<BookView?> ReadBookAsync(string ticker, CancellationToken cancellationToken) =>
        registry.Hides(ticker) ? null : await exchange.ReadBookAsync(ticker, cancellationToken);

    public ValueTask<TruthAnswer> ReadTruthAsync(string ticker, long? atSeq, CancellationToken cancellationToken) =>
        exchange.ReadTruthAsync(ticker, atSeq, cancellationToken);

    public ValueTask<IReadOnlyList<TradeView>> ListTradesAsync(TradeFilter filter, Guid? before, int limit, CancellationToken cancellationToken) =>
        exchange.ListTradesAsync(filter, before, limit, cancellationToken);

    public async ValueTask<OrderOutcome> PlaceOrderAsync(string customer, OrderRequest request, CancellationToken cancellationToken) =>
        registry.Hides(request.Ticker)
            ? OrderOutcome.Refused(OrderRefusal.MarketNotFound)
            : await exchange.PlaceOrderAsync(customer, request, cancellationToken);

    public ValueTask<OrderOutcome> CancelOrderAsync(string customer, Guid orderId, CancellationToken cancellationToken) =>
        exchange.CancelOrderAsync(customer, orderId, cancellationToken);

    public ValueTask<OrderView?> FindOrderAsync(string customer, Guid orderId, CancellationToken cancellationToken) =>
        exchange.FindOrderAsync(customer, orderId, cancellationToken);

    public ValueTask<IReadOnlyList<OrderView>> ListOrdersAsync(
        OrderFilter filter, Guid? before, int limit, CancellationToken cancellationToken) =>
        exchange.ListOrdersAsync(filter, before, limit, cancellationToken);
}
