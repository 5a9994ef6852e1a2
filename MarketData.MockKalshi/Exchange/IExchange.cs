using System.Threading.Channels;
using MarketData.Domain.Books;
using MarketData.MockKalshi.Exchange.Truth;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Exchange;

/// <summary>What stands behind the protocol: the simulated exchange or a recording. Thread-safe.</summary>
internal interface IExchange
{
    /// <summary>Runs a session's commands and sends its data frames until cancelled; leaves no trace of the session.</summary>
    Task ServeAsync(Session session, ChannelReader<Command> commands, CancellationToken cancellationToken);

    /// <summary>The markets that match, in ordinal order of their tickers.</summary>
    /// <param name="filter">Which markets.</param>
    /// <param name="after">Only tickers after this one; null for the beginning.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    ValueTask<IReadOnlyList<MarketView>> ListMarketsAsync(MarketFilter filter, string? after, int limit, CancellationToken cancellationToken);

    /// <summary>Null when there is no such market.</summary>
    ValueTask<MarketView?> FindMarketAsync(string ticker, CancellationToken cancellationToken);

    /// <summary>A market's book as it stands; null when there is no such market.</summary>
    ValueTask<BookView?> ReadBookAsync(string ticker, CancellationToken cancellationToken);

    /// <summary>
    /// What a book is, or what it was once a client had applied a frame: any test can compare a client's book with it.
    /// </summary>
    /// <param name="ticker">The market.</param>
    /// <param name="atSeq">
    /// A number of the newest subscription that holds the market's book; null for the present.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    ValueTask<TruthAnswer> ReadTruthAsync(string ticker, long? atSeq, CancellationToken cancellationToken);

    /// <summary>The latest trades that match, newest first.</summary>
    /// <param name="filter">Which trades.</param>
    /// <param name="before">Only trades older than this one; null for the newest. Unknown or no longer held: an empty list.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    ValueTask<IReadOnlyList<TradeView>> ListTradesAsync(TradeFilter filter, Guid? before, int limit, CancellationToken cancellationToken);

    /// <summary>Trades what crosses, rests the remainder.</summary>
    /// <param name="customer">Whose order it is.</param>
    /// <param name="request">Checked in form.</param>
    /// <param name="cancellationToken">Gives up waiting; the order may have been taken all the same.</param>
    ValueTask<OrderOutcome> PlaceOrderAsync(string customer, OrderRequest request, CancellationToken cancellationToken);

    /// <summary>Takes back what still rests of a customer's order.</summary>
    ValueTask<OrderOutcome> CancelOrderAsync(string customer, Guid orderId, CancellationToken cancellationToken);

    /// <summary>A customer's order; null when the customer has no such order.</summary>
    ValueTask<OrderView?> FindOrderAsync(string customer, Guid orderId, CancellationToken cancellationToken);

    /// <summary>A customer's orders that match, newest first.</summary>
    ValueTask<IReadOnlyList<OrderView>> ListOrdersAsync(OrderFilter filter, Guid? before, int limit, CancellationToken cancellationToken);
}

/// <summary>A copy of a book: both ladders in ascending price, best bid last.</summary>
internal sealed record BookView(Level[] Yes, Level[] No)
{
    public static BookView Of(OrderBook book) => new(book.Levels(Side.Yes).ToArray(), book.Levels(Side.No).ToArray());
}
