using MarketData.Domain.Books;
using MarketData.Domain.Frames;
using MarketData.MockKalshi.Protocol;

namespace MarketData.MockKalshi.Dialects.Seed;

/// <summary>
/// Composes the frames of the seed dialect (protocol reference, section 2.2). A result is valid until the next call, that of an error
/// until the next error. One object serves all sessions, in the exchange's loop.
/// </summary>
internal abstract class SeedForm
{
    // An error may have to be told to one session while a frame is on its way to several.
    private readonly FrameText _error = new();

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
        _error.Clear().Raw("{\"type\":\"error\""u8);
        if (id is { } commandId) _error.Raw(",\"id\":"u8).Number(commandId);
        return _error.Raw(",\"msg\":"u8).String(message).Raw((byte)'}').Written;
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

    /// <param name="key">With its punctuation.</param>
    /// <param name="price">1/10,000 dollar; null when there is none.</param>
    protected void CentsOrNull(ReadOnlySpan<byte> key, int? price)
    {
        Text.Raw(key);
        if (price is { } known) Text.Hundredths(known);
        else Text.Raw("null"u8);
    }
}
