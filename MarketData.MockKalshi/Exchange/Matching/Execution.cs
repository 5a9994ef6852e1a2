namespace MarketData.MockKalshi.Exchange.Matching;

/// <summary>A trade and the resting order that it traded with.</summary>
internal readonly record struct Fill(TradePrint Print, Order Resting);

/// <summary>
/// What one request did to a book, in order; used again for the next request. The first changes are those of the fills, one for each;
/// a further one is what came to rest or was cancelled.
/// </summary>
internal sealed class Execution
{
    public List<BookChange> Changes { get; } = [];

    public List<Fill> Fills { get; } = [];

    public void Clear()
    {
        Changes.Clear();
        Fills.Clear();
    }
}
