using MarketData.Domain.Books;
using MarketData.Domain.Frames;
using MarketData.Domain.Numbers;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Dialects.Seed;

/// <summary>Form B, which the seed documents and nobody sent: <c>channel</c> and <c>data</c>, whole books, each change once.</summary>
internal sealed class FlatForm : SeedForm
{
    public override string TickerChannel => "ticker_v2";

    public override bool RepeatsBooks => false;

    public override string Sid(SeedSubscription subscription) => FormattableString.Invariant($"sub-{subscription.Number}");

    public override ReadOnlySpan<byte> Subscribed(long? id, IReadOnlyList<SeedSubscription> subscriptions)
    {
        Begin(id).Raw(",\"sids\":["u8);
        for (int i = 0; i < subscriptions.Count; i++)
        {
            if (i > 0) Text.Raw((byte)',');
            Text.String(Sid(subscriptions[i]));
        }

        return Text.Raw("]}"u8).Written;
    }

    public override ReadOnlySpan<byte> Updated(long? id, SeedSubscription subscription) => Subscribed(id, [subscription]);

    public override ReadOnlySpan<byte> Unsubscribed(long? id) => Begin(id).Raw((byte)'}').Written;

    public override ReadOnlySpan<byte> Snapshot(long seq, SeedMarket market)
    {
        Begin("orderbook_snapshot", seq, market.Ticker).Raw("\"yes\":"u8);
        Levels(market.Book.Levels(Side.Yes).ToArray());
        Text.Raw(",\"no\":"u8);
        Levels(market.Book.Levels(Side.No).ToArray());
        return Text.Raw("}}"u8).Written;
    }

    public override ReadOnlySpan<byte> Delta(long seq, string ticker, BookDelta change) =>
        Begin("orderbook_delta", seq, ticker).Raw(change.Side == Side.Yes ? "\"side\":\"yes\",\"price\":"u8 : "\"side\":\"no\",\"price\":"u8)
            .Hundredths(change.Price).Raw(",\"delta\":"u8).Hundredths(change.Change).Raw("}}"u8).Written;

    public override ReadOnlySpan<byte> Ticker(long seq, SeedMarket market, long traded)
    {
        Begin(TickerChannel, seq, market.Ticker);
        CentsOrNull("\"yes_bid\":"u8, market.Book.Levels(Side.Yes) is [.., var yes] ? yes.Price : null);
        CentsOrNull(",\"yes_ask\":"u8, market.Book.Levels(Side.No) is [.., var no] ? FixedPoint.PriceScale - no.Price : null);
        CentsOrNull(",\"price\":"u8, market.LastPrice);
        return Text.Raw(",\"volume_delta\":"u8).Hundredths(traded).Raw("}}"u8).Written;
    }

    public override ReadOnlySpan<byte> Trade(long seq, string ticker, SeedTrade trade) =>
        Begin("trade", seq, ticker).Raw("\"trade_id\":"u8).String(trade.Id).Raw(",\"side\":"u8).String(trade.Side)
            .Raw(",\"price\":"u8).Hundredths(trade.YesPrice).Raw(",\"size\":"u8).Hundredths(trade.Count)
            .Raw(",\"timestamp\":"u8).Number(trade.TimeMs).Raw("}}"u8).Written;

    private FrameText Begin(long? id)
    {
        Text.Clear().Raw((byte)'{');
        if (id is { } commandId) Text.Raw("\"id\":"u8).Number(commandId).Raw((byte)',');
        return Text.Raw("\"status\":\"success\""u8);
    }

    private FrameText Begin(string channel, long seq, string ticker) =>
        Text.Clear().Raw("{\"channel\":"u8).String(channel).Raw(",\"market_ticker\":"u8).String(ticker)
            .Raw(",\"seq\":"u8).Number(seq).Raw(",\"data\":{"u8);
}
