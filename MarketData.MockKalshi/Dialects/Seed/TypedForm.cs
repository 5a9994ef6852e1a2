using System.Globalization;
using MarketData.Domain.Books;
using MarketData.Domain.Frames;
using MarketData.Domain.Numbers;

namespace MarketData.MockKalshi.Dialects.Seed;

/// <summary>Form A: <c>type</c> and <c>msg</c>, no sid on data, with the oddities of the seed's order book.</summary>
internal sealed class TypedForm : SeedForm
{
    /// <summary>Levels of a side in a snapshot.</summary>
    private const int Depth = 10;

    public override string TickerChannel => "ticker";

    public override bool RepeatsBooks => true;

    public override string Sid(SeedSubscription subscription) => FormattableString.Invariant($"sub_{subscription.Number}");

    public override ReadOnlySpan<byte> Subscribed(long? id, IReadOnlyList<SeedSubscription> subscriptions) => Acknowledge("subscribed", id, subscriptions);

    public override ReadOnlySpan<byte> Updated(long? id, SeedSubscription subscription) => Acknowledge("subscription_updated", id, [subscription]);

    public override ReadOnlySpan<byte> Unsubscribed(long? id)
    {
        Begin("unsubscribed", id);
        return Text.Raw(",\"success\":true}"u8).Written;
    }

    /// <summary>YES best first, NO lowest first and both cut off: a deep NO side lacks its best bids.</summary>
    public override ReadOnlySpan<byte> Snapshot(long seq, SeedMarket market)
    {
        Begin("orderbook_snapshot", seq, market.Ticker).Raw(",\"yes\":"u8);
        Levels(market.Book.Levels(Side.Yes).ToArray().Reverse().Take(Depth));
        Text.Raw(",\"no\":"u8);
        Levels(market.Book.Levels(Side.No).ToArray().Take(Depth));
        return Text.Raw("}}"u8).Written;
    }

    public override ReadOnlySpan<byte> Delta(long seq, string ticker, BookDelta change) =>
        Begin("orderbook_delta", seq, ticker).Raw(",\"price\":"u8).Hundredths(change.Price).Raw(",\"delta\":"u8).Hundredths(change.Change)
            .Raw(change.Side == Side.Yes ? ",\"side\":\"yes\"}}"u8 : ",\"side\":\"no\"}}"u8).Written;

    /// <summary>The best ask is taken from the lowest NO bid, which is not the best one.</summary>
    public override ReadOnlySpan<byte> Ticker(long seq, SeedMarket market, long traded)
    {
        Text.Clear().Raw("{\"type\":\"ticker\",\"seq\":"u8).Number(seq).Raw(",\"msg\":{\"marketTicker\":"u8).String(market.Ticker);
        CentsOrNull(",\"lastPrice\":"u8, market.LastPrice);
        Text.Raw(",\"volume\":"u8).Hundredths(market.Volume);
        CentsOrNull(",\"bestBid\":"u8, market.Book.Levels(Side.Yes) is [.., var bid] ? bid.Price : null);
        CentsOrNull(",\"bestAsk\":"u8, market.Book.Levels(Side.No) is [var lowest, ..] ? FixedPoint.PriceScale - lowest.Price : null);
        return Text.Raw("}}"u8).Written;
    }

    public override ReadOnlySpan<byte> Trade(long seq, string ticker, SeedTrade trade)
    {
        string time = DateTimeOffset.FromUnixTimeMilliseconds(trade.TimeMs).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        return Begin("trade", seq, ticker).Raw(",\"price\":"u8).Hundredths(trade.YesPrice).Raw(",\"count\":"u8).Hundredths(trade.Count)
            .Raw(",\"side\":"u8).String(trade.Side).Raw(",\"created_time\":"u8).String(time).Raw(",\"trade_id\":"u8).String(trade.Id).Raw("}}"u8).Written;
    }

    private ReadOnlySpan<byte> Acknowledge(string type, long? id, IReadOnlyList<SeedSubscription> subscriptions)
    {
        Begin(type, id);
        Text.Raw(",\"subscriptions\":["u8);
        for (int i = 0; i < subscriptions.Count; i++)
        {
            Text.Raw(i == 0 ? "{\"sid\":"u8 : ",{\"sid\":"u8).String(Sid(subscriptions[i])).Raw(",\"channel\":"u8).String(subscriptions[i].Channel);
            Text.Raw(",\"market_tickers\":["u8);
            for (int j = 0; j < subscriptions[i].Tickers.Count; j++)
            {
                if (j > 0) Text.Raw((byte)',');
                Text.String(subscriptions[i].Tickers[j]);
            }

            Text.Raw("]}"u8);
        }

        return Text.Raw("]}"u8).Written;
    }

    private void Begin(string type, long? id)
    {
        Text.Clear().Raw("{\"type\":"u8).String(type);
        if (id is { } commandId) Text.Raw(",\"id\":"u8).Number(commandId);
    }

    private Protocol.FrameText Begin(string type, long seq, string ticker) =>
        Text.Clear().Raw("{\"type\":"u8).String(type).Raw(",\"seq\":"u8).Number(seq).Raw(",\"msg\":{\"market_ticker\":"u8).String(ticker);
}
