using MarketData.Domain.Books;
using MarketData.Domain.Frames;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Dialects.Seed;

/// <summary>
/// Composes the frames of the seed dialect (protocol reference, section 2.2). A result is valid until the next call. One object serves
/// all sessions, in the exchange's loop.
/// </summary>
internal abstract class SeedForm
{
    /// <summary>The channel of tickers, which is also their frames' type.</summary>
    public abstract string TickerChannel { get; }

    /// <summary>Snapshots take the place of changes and are followed by the whole book as changes, as the seed does it.</summary>
    public abstract bool RepeatsBooks { get; }

    protected FrameText Text { get; } = new();

    public abstract string Sid(SeedSubscription subscription);

    public abstract ReadOnlySpan<byte> Subscribed(long? id, IReadOnlyList<SeedSubscription> subscriptions);

    public abstract ReadOnlySpan<byte> Updated(long? id, SeedSubscription subscription);

    public abstract ReadOnlySpan<byte> Unsubscribed(long? id);

    public abstract ReadOnlySpan<byte> Snapshot(long seq, SeedMarket market);

    public abstract ReadOnlySpan<byte> Delta(long seq, string ticker, BookDelta change);

    /// <param name="seq">The frame's number.</param>
    /// <param name="market">Whose book and last price it tells.</param>
    /// <param name="traded">What has just traded, 1/100 contract.</param>
    public abstract ReadOnlySpan<byte> Ticker(long seq, SeedMarket market, long traded);

    public abstract ReadOnlySpan<byte> Trade(long seq, string ticker, SeedTrade trade);

    /// <summary>An error, whose <c>msg</c> is a text and no object.</summary>
    public ReadOnlySpan<byte> Error(long? id, string message)
    {
        Text.Clear().Raw("{\"type\":\"error\""u8);
        if (id is { } commandId) Text.Raw(",\"id\":"u8).Number(commandId);
        return Text.Raw(",\"msg\":"u8).String(message).Raw((byte)'}').Written;
    }

    protected void Levels(IEnumerable<Level> levels)
    {
        Text.Raw((byte)'[');
        bool first = true;
        foreach (var level in levels)
        {
            Text.Raw(first ? "["u8 : ",["u8).Hundredths(level.Price).Raw((byte)',').Hundredths(level.Count).Raw((byte)']');
            first = false;
        }

        Text.Raw((byte)']');
    }

    protected void Cents(ReadOnlySpan<byte> key, int? price)
    {
        Text.Raw(key);
        if (price is { } known) Text.Hundredths(known);
        else Text.Raw("null"u8);
    }
}
