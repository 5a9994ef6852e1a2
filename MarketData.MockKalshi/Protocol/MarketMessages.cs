using MarketData.Domain.Books;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Exchange;

namespace MarketData.MockKalshi.Protocol;

/// <summary>Composes the <c>msg</c> of data frames (protocol reference, section 1.8) into a cleared text.</summary>
internal static class MarketMessages
{
    /// <param name="text">Where the message goes.</param>
    /// <param name="ticker">As the client named it.</param>
    /// <param name="marketId">Null for an unknown market, which has an empty id.</param>
    /// <param name="book">Null for no levels; a side without levels is left out.</param>
    /// <param name="yesPrice">NO levels carry 1-p, in descending order (section 1.9).</param>
    public static ReadOnlySpan<byte> Snapshot(FrameText text, string ticker, Guid? marketId, OrderBook? book, bool yesPrice)
    {
        text.Clear().Raw("{\"market_ticker\":"u8).String(ticker).Raw(",\"market_id\":"u8);
        if (marketId is { } id) text.Uuid(id);
        else text.Raw("\"\""u8);
        if (book is not null)
        {
            if (!book.Levels(Side.Yes).IsEmpty) Levels(text.Raw(",\"yes_dollars_fp\":"u8), book.Levels(Side.Yes), mirror: false);
            if (!book.Levels(Side.No).IsEmpty) Levels(text.Raw(",\"no_dollars_fp\":"u8), book.Levels(Side.No), mirror: yesPrice);
        }

        return text.Raw((byte)'}').Written;
    }

    /// <param name="text">Where the message goes.</param>
    /// <param name="market">The market.</param>
    /// <param name="change">Price in the NO leg's own terms.</param>
    /// <param name="time">Exchange time.</param>
    /// <param name="yesPrice">A NO price is sent as 1-p.</param>
    public static ReadOnlySpan<byte> Delta(FrameText text, MarketDefinition market, BookChange change, DateTimeOffset time, bool yesPrice)
    {
        bool mirror = yesPrice && change.Side == Side.No;
        return text.Clear()
            .Raw("{\"market_ticker\":"u8).String(market.Ticker)
            .Raw(",\"market_id\":"u8).Uuid(market.MarketId)
            .Raw(",\"price_dollars\":"u8).Price(mirror ? FixedPoint.PriceScale - change.Price : change.Price)
            .Raw(",\"delta_fp\":"u8).Count(change.Delta)
            .Raw(change.Side == Side.Yes ? ",\"side\":\"yes\""u8 : ",\"side\":\"no\""u8)
            .Raw(",\"ts\":"u8).Time(time)
            .Raw(",\"ts_ms\":"u8).Number(time.ToUnixTimeMilliseconds())
            .Raw((byte)'}').Written;
    }

    public static ReadOnlySpan<byte> Ticker(FrameText text, MarketDefinition market, in MarketQuotes quotes, DateTimeOffset time)
    {
        // Count (1/100) times price (1/10,000) in whole dollars.
        const long unitsPerDollar = (long)FixedPoint.CountScale * FixedPoint.PriceScale;
        return text.Clear()
            .Raw("{\"market_ticker\":"u8).String(market.Ticker)
            .Raw(",\"market_id\":"u8).Uuid(market.MarketId)
            .Raw(",\"price_dollars\":"u8).Price(quotes.LastPrice)
            .Raw(",\"yes_bid_dollars\":"u8).Price(quotes.YesBidPrice)
            .Raw(",\"yes_ask_dollars\":"u8).Price(quotes.YesAskPrice)
            .Raw(",\"volume_fp\":"u8).Count(quotes.Volume)
            .Raw(",\"open_interest_fp\":"u8).Count(quotes.OpenInterest)
            .Raw(",\"dollar_volume\":"u8).Number(quotes.DollarVolume / unitsPerDollar)
            .Raw(",\"dollar_open_interest\":"u8).Number(quotes.OpenInterest / FixedPoint.CountScale)
            .Raw(",\"yes_bid_size_fp\":"u8).Count(quotes.YesBid?.Count ?? 0)
            .Raw(",\"yes_ask_size_fp\":"u8).Count(quotes.NoBid?.Count ?? 0)
            .Raw(",\"last_trade_size_fp\":"u8).Count(quotes.LastTradeCount)
            .Raw(",\"ts\":"u8).Number(time.ToUnixTimeSeconds())
            .Raw(",\"ts_ms\":"u8).Number(time.ToUnixTimeMilliseconds())
            .Raw(",\"time\":"u8).Time(time)
            .Raw((byte)'}').Written;
    }

    public static ReadOnlySpan<byte> Trade(FrameText text, MarketDefinition market, in TradePrint trade, DateTimeOffset time)
    {
        bool yes = trade.Taker == Side.Yes;
        return text.Clear()
            .Raw("{\"trade_id\":"u8).Uuid(trade.Id)
            .Raw(",\"market_ticker\":"u8).String(market.Ticker)
            .Raw(",\"yes_price_dollars\":"u8).Price(trade.YesPrice)
            .Raw(",\"no_price_dollars\":"u8).Price(FixedPoint.PriceScale - trade.YesPrice)
            .Raw(",\"count_fp\":"u8).Count(trade.Count)
            .Raw(yes ? ",\"taker_side\":\"yes\""u8 : ",\"taker_side\":\"no\""u8)
            .Raw(yes ? ",\"taker_outcome_side\":\"yes\""u8 : ",\"taker_outcome_side\":\"no\""u8)
            .Raw(yes ? ",\"taker_book_side\":\"bid\""u8 : ",\"taker_book_side\":\"ask\""u8)
            .Raw(",\"ts\":"u8).Number(time.ToUnixTimeSeconds())
            .Raw(",\"ts_ms\":"u8).Number(time.ToUnixTimeMilliseconds())
            .Raw((byte)'}').Written;
    }

    /// <summary>An array of levels, best last.</summary>
    /// <param name="text">Where the array goes.</param>
    /// <param name="levels">In ascending price.</param>
    /// <param name="mirror">Prices become 1-p: in place, ascending NO prices are then descending YES prices.</param>
    public static void Levels(FrameText text, ReadOnlySpan<Level> levels, bool mirror)
    {
        text.Raw((byte)'[');
        for (int i = 0; i < levels.Length; i++)
        {
            int price = mirror ? FixedPoint.PriceScale - levels[i].Price : levels[i].Price;
            text.Raw(i == 0 ? "["u8 : ",["u8).Price(price).Raw((byte)',').Count(levels[i].Count).Raw((byte)']');
        }

        text.Raw((byte)']');
    }
}
